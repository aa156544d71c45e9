"""Forms of appeals."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DecimalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from portal.audits.appeals.rules import MOST_REASON, Point, Relief
from portal.audits.appeals.words import POINTS
from portal.audits.words import LEVELS
from portal.vendors.clauses import Level


class AppealForm(FlaskForm):
    """What of a finding is disputed, and why; files come beside it."""

    points = SelectMultipleField(
        _l("What is disputed"),
        choices=[SelectChoice(point.value, POINTS[point]) for point in Point],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_l("Each point that you choose is decided; an appeal may be upheld in part."),
    )
    reason = TextAreaField(
        _l("Reason of the appeal"),
        [
            InputRequired(_l("Say what is wrong with the finding and what shows it.")),
            Length(max=MOST_REASON),
        ],
        description=_l("Whoever decides reads it, and it stays on record."),
        render_kw={"rows": 5},
    )

    def validate_points(self, field: Any) -> None:
        """Something is disputed."""
        if not field.data:
            raise ValidationError(_l("Choose at least one."))


class DecisionForm(FlaskForm):
    """The decision on an appeal. The fields below `reason` are read for one upheld in part."""

    version = HiddenField()
    outcome = RadioField(
        _l("Decision on the appeal"),
        [InputRequired(_l("Choose the decision."))],
        choices=[
            SelectChoice("uphold", _l("Uphold: the finding falls")),
            SelectChoice("partly", _l("Uphold in part: the finding stands as changed below")),
            SelectChoice("reject", _l("Reject: the finding stands")),
        ],
    )
    reason = TextAreaField(
        _l("Reason of the decision"),
        [InputRequired(_l("Write the reason; the vendor reads it.")), Length(max=MOST_REASON)],
        description=_l(
            "The vendor reads it; an upheld appeal's reason is printed on the new form."
        ),
        render_kw={"rows": 4},
    )
    clause_no = SelectField(_l("Clause"), [Optional()])
    times = IntegerField(_l("Times"), [Optional(), NumberRange(1, 999)])
    level = SelectField(
        _l("Severity"),
        [Optional()],
        choices=[
            SelectChoice("", _l("As the clause gives")),
            *(SelectChoice(level.value, LEVELS[level][0]) for level in Level),
        ],
    )
    points = DecimalField(
        _l("Points"),
        [Optional(), NumberRange(0, 10_000)],
        places=2,
        description=_l("Empty: as the clause gives, at most what it was."),
        render_kw={"inputmode": "decimal"},
    )
    deduction = DecimalField(
        _l("Deduction (CNY)"),
        [Optional(), NumberRange(0, 10_000_000)],
        places=2,
        render_kw={"inputmode": "decimal"},
    )
    facts = TextAreaField(
        _l("Facts as they stand"), [Optional(), Length(max=4000)], render_kw={"rows": 4}
    )

    def set_choices(self, clauses: list[tuple[str, str]]) -> None:
        """Give the form the clauses of the finding's day."""
        self.clause_no.choices = [SelectChoice(*pair) for pair in clauses]

    def relief(self, clause_no: str, times: int, facts: str) -> Relief:
        """What the form puts in the finding's place, which has this clause, times and facts: what
        was left empty stays as it is."""
        level = self.level.data
        return Relief(
            self.clause_no.data or clause_no,
            self.times.data or times,
            self.facts.data or facts,
            Level(level) if level else None,
            self.points.data,
            self.deduction.data,
        )
