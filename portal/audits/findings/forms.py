"""Forms of findings and marks."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    DateTimeLocalField,
    DecimalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import InputRequired, Length, NumberRange, Optional

LONGEST = 24 * 3600
SECONDS = {"inputmode": "decimal", "step": "0.1", "min": "0"}


class FindingForm(FlaskForm):
    """A finding: the clause, the person, the day, the passage, the facts, what follows.

    The choices of clauses, people and recordings are passed in. `repetition` is asked only when
    there is one to decide (A5)."""

    version = HiddenField()
    occurred_on = DateField(
        _l("Day of the act"),
        [InputRequired(_l("Choose the day of the act."))],
        description=_l("The clauses in force on that day apply."),
    )
    clause_no = SelectField(_l("Clause"), [InputRequired(_l("Choose a clause."))])
    times = IntegerField(
        _l("Times"),
        [InputRequired(_l("Type how often.")), NumberRange(1, 999)],
        default=1,
        description=_l("Occurrences, or items × working days, or persons: as the clause counts."),
    )
    person_id = SelectField(
        _l("Person responsible"), [Optional()], description=_l("Not listed: choose none and type.")
    )
    person_name = StringField(_l("Name (not listed)"), [Length(max=80)])
    staff_no = StringField(_l("Staff number"), [Length(max=40)])
    group_name = StringField(_l("Group"), [Length(max=80)])
    leader_name = StringField(_l("Team leader"), [Length(max=80)])
    delivery_id = SelectField(_l("Recording"), [Optional()])
    call_at = DateTimeLocalField(_l("Time of the call"), [Optional()])
    clip_from = DecimalField(
        _l("From (seconds)"), [Optional(), NumberRange(0, LONGEST)], render_kw=SECONDS
    )
    clip_to = DecimalField(
        _l("To (seconds)"), [Optional(), NumberRange(0, LONGEST)], render_kw=SECONDS
    )
    facts = TextAreaField(
        _l("Facts"),
        [InputRequired(_l("Describe the facts.")), Length(max=4000)],
        description=_l("The vendor reads this. Write no name, phone or card number of a customer."),
        render_kw={"rows": 4, "maxlength": 4000},
    )
    words = TextAreaField(
        _l("Words said"), [Length(max=2000)], render_kw={"rows": 2, "maxlength": 2000}
    )
    handling = StringField(
        _l("Handling"),
        [Length(max=200)],
        description=_l("Left empty: what the level prescribes, with the deduction."),
    )
    correction = TextAreaField(
        _l("Correction asked"), [Length(max=2000)], render_kw={"rows": 2, "maxlength": 2000}
    )
    correct_by = DateField(
        _l("To be corrected by"),
        [Optional()],
        description=_l("Left empty: the level's working days, counted from today."),
    )
    repetition = RadioField(
        _l("Repetition within the months of the catalogue"),
        [Optional()],
        choices=[
            SelectChoice("take", _l("Take it: next level, points multiplied")),
            SelectChoice("refuse", _l("Refuse it, for the reason below")),
        ],
    )
    repetition_reason = StringField(
        _l("Reason for refusing"),
        [Length(max=500)],
        description=_l("Stays inside the company; the vendor does not see it."),
    )

    def set_choices(
        self,
        clauses: list[tuple[str, str]],
        people: list[tuple[str, str]],
        recordings: list[tuple[str, str]],
    ) -> None:
        """Give the form what there is to choose from."""
        for field, none, known in (
            (self.clause_no, _l("Choose a clause …"), clauses),
            (self.person_id, _l("Not listed"), people),
            (self.delivery_id, _l("None"), recordings),
        ):
            field.choices = [SelectChoice("", none), *(SelectChoice(*pair) for pair in known)]

    def validate_person_name(self, field: Any) -> None:
        """Somebody must be named."""
        if not self.person_id.data and not (field.data or "").strip():
            raise ValidationError(_l("Choose a person, or type the name."))


class MarkForm(FlaskForm):
    """A place in a recording; the player fills in times and severity."""

    delivery_id = HiddenField(validators=[InputRequired()])
    start = DecimalField(
        _l("From (seconds)"),
        [InputRequired(_l("Mark a passage first.")), NumberRange(0, LONGEST)],
        render_kw={**SECONDS, "data-mark": "start"},
    )
    end = DecimalField(
        _l("To (seconds)"),
        [InputRequired(_l("Mark a passage first.")), NumberRange(0, LONGEST)],
        render_kw={**SECONDS, "data-mark": "end"},
    )
    severity = SelectField(
        _l("Severity"),
        choices=[
            SelectChoice("minor", _l("Minor")),
            SelectChoice("ordinary", _l("Ordinary")),
            SelectChoice("serious", _l("Serious")),
        ],
        default="ordinary",
        render_kw={"data-mark": "severity"},
    )
    text = StringField(_l("What is said there"), [Length(max=300)])


class NotesForm(FlaskForm):
    """The auditors' private notes on a case."""

    version = HiddenField()
    notes = TextAreaField(
        _l("Private notes"),
        [Length(max=8000)],
        description=_l("For the audit department only; the vendor never sees them."),
        render_kw={"rows": 5, "maxlength": 8000},
    )
