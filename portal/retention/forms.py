"""Forms of holds."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length


class HoldForm(FlaskForm):
    """What is held, and why."""

    vendor = SelectField(_l("Vendor"), [InputRequired(_l("Choose the vendor."))])
    on = SelectField(_l("Hold on"))
    number = StringField(_l("Number"), [InputRequired(_l("Give the number.")), Length(max=80)])
    reason = TextAreaField(
        _l("Reason"),
        [InputRequired(_l("Write why it must be kept.")), Length(max=1_000)],
        description=_l("For instance: appeal, complaint, lawsuit, the regulator's inquiry."),
        render_kw={"rows": 2},
    )
