"""Forms about a case."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length


class StatusForm(FlaskForm):
    """Another status, with its reason; the choices are set by the view."""

    version = HiddenField()
    status = SelectField(_l("New status"), [InputRequired(_l("Choose a status."))])
    reason = TextAreaField(
        _l("Reason"),
        [InputRequired(_l("Say why.")), Length(max=500)],
        description=_l("The vendor sees it. Write no personal data."),
        render_kw={"rows": 3, "maxlength": 500},
    )


class FindForm(FlaskForm):
    """Exact search for personal data; sent by POST, so that it never stands in an address."""

    number = StringField(
        _l("Card or phone number"),
        [InputRequired(_l("Type the number in full.")), Length(max=40)],
        render_kw={"autocomplete": "off", "inputmode": "numeric"},
    )
