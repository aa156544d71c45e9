"""Forms of the working-day calendar."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import InputRequired, Length


class DayForm(FlaskForm):
    """A holiday or make-up working day."""

    day = DateField(_l("Day"), [InputRequired(_l("Choose a day."))])
    kind = SelectField(
        _l("What it is"),
        choices=[
            SelectChoice("holiday", _l("Public holiday")),
            SelectChoice("make_up", _l("Make-up working day")),
            SelectChoice("ordinary", _l("Ordinary day (take the exception away)")),
        ],
    )
    name = StringField(_l("Name"), [Length(max=40)])
