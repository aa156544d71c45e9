"""Forms of assessment forms."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField
from wtforms.validators import InputRequired, Length


class ReturnForm(FlaskForm):
    """Why a form goes back to the auditor."""

    version = HiddenField()
    reason = TextAreaField(
        _l("Reason"),
        [InputRequired(_l("Say why.")), Length(max=500)],
        render_kw={"rows": 3, "maxlength": 500},
    )
