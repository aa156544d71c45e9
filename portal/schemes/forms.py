"""The form of a new version."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, StringField
from wtforms.validators import InputRequired, Length


class VersionForm(FlaskForm):
    """When a version takes effect and why it was made; the values themselves go by their paths."""

    in_force_from = DateField(_l("In force from"), [InputRequired(_l("Choose a day."))])
    reason = StringField(
        _l("Reason for the change"),
        [InputRequired(_l("Say why, for the record.")), Length(max=200)],
    )
    seen_version = HiddenField()
