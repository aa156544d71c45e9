"""Forms of scores and statements."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Regexp


class PeriodForm(FlaskForm):
    """A month."""

    period = StringField(
        _l("Month"),
        [
            InputRequired(_l("Choose a month.")),
            Regexp(r"^20\d\d-(0[1-9]|1[0-2])$", message=_l("Choose a month, such as 2026-11.")),
        ],
        render_kw={"type": "month", "placeholder": "2026-11"},
    )
