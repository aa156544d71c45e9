"""Forms of draws."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DecimalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import InputRequired, Length, Optional, Regexp
from wtforms.widgets import CheckboxInput, ListWidget


class MultiCheckboxField(SelectMultipleField):
    """Several of a few, as check boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class DrawForm(FlaskForm):
    """A new draw: the choices of `wanted` are set by the view, from the scheme in force."""

    name = StringField(
        _l("Name of the draw"), [InputRequired(_l("Give the draw a name.")), Length(max=80)]
    )
    period = StringField(
        _l("Month"),
        [
            InputRequired(_l("Choose the month.")),
            Regexp(r"20\d\d-(0[1-9]|1[0-2])", message=_l("Write the month like 2026-11.")),
        ],
        render_kw={"type": "month", "placeholder": "2026-11"},
    )
    by = RadioField(
        _l("How much to draw"),
        choices=[
            SelectChoice("rate", _l("A share of the cases in hand")),
            SelectChoice("total", _l("A number of cases over all vendors")),
        ],
        default="rate",
    )
    rate = DecimalField(
        _l("Share in per cent"),
        [Optional()],
        render_kw={"inputmode": "decimal", "step": "any", "min": "0", "max": "100"},
        places=None,
    )
    total = IntegerField(
        _l("Number of cases"), [Optional()], render_kw={"inputmode": "numeric", "min": "1"}
    )
    wanted = MultiCheckboxField(
        _l("Materials wanted of each case"),
        [InputRequired(_l("Choose the materials wanted."))],
    )


class StepForm(FlaskForm):
    """One step of a draw, on the state that the page showed."""

    version = HiddenField()
