"""Forms of excellent cases."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import MonthInput


class RecommendForm(FlaskForm):
    """A vendor's recommendation."""

    case_no = StringField(
        _l("Case number"), [InputRequired(_l("Enter the case number.")), Length(max=80)]
    )
    period = StringField(
        _l("Month"),
        [InputRequired(_l("Choose the month.")), Length(max=7)],
        widget=MonthInput(),
        description=_l("This month or the one before."),
    )
    why = TextAreaField(
        _l("Why it is excellent"),
        [InputRequired(_l("Say why the case is excellent.")), Length(max=2_000)],
        description=_l("What was done well, and what others can learn. No customer's data."),
        render_kw={"rows": 5},
    )
