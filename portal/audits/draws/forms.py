"""Forms of draws."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
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

from portal.audits.draws.plans import MOST_EXTRA, RISK_DAYS, Options, checked, limits


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
    strata_group = BooleanField(_l("By group"))
    strata_days = StringField(
        _l("By days past due"),
        [Length(max=80)],
        description=_l("Limits such as 30, 90, 180; empty: not."),
        render_kw={"inputmode": "numeric"},
    )
    strata_amounts = StringField(
        _l("By amount entrusted"),
        [Length(max=80)],
        description=_l("Limits in CNY such as 5000, 20000; empty: not."),
        render_kw={"inputmode": "numeric"},
    )
    extra_suspended = IntegerField(
        _l("Suspended cases"),
        [Optional()],
        default=0,
        description=_l("Added to a case's weight of 1; 0: no extra."),
        render_kw={"min": "0", "max": str(MOST_EXTRA)},
    )
    extra_findings = IntegerField(
        _l("Cases of agents with findings"),
        [Optional()],
        default=0,
        description=_l("Confirmed findings of the last %(days)s days.", days=RISK_DAYS),
        render_kw={"min": "0", "max": str(MOST_EXTRA)},
    )
    wanted = MultiCheckboxField(
        _l("Materials wanted of each case"),
        [InputRequired(_l("Choose the materials wanted."))],
    )

    def options(self) -> Options:
        """The strata and weights that the form asks for. Raises `Invalid`."""
        return checked(
            Options(
                group=bool(self.strata_group.data),
                days=limits(self.strata_days.data or ""),
                amounts=limits(self.strata_amounts.data or ""),
                suspended=self.extra_suspended.data or 0,
                findings=self.extra_findings.data or 0,
            )
        )


class StepForm(FlaskForm):
    """One step of a draw, on the state that the page showed."""

    version = HiddenField()
