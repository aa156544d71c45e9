"""Forms of rectification notices. Choices are passed in; nothing here asks the database."""

from __future__ import annotations

from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portal.rectification.kinds import Recheck
from portal.rectification.rules import (
    MOST_DAYS,
    AnswerText,
    NoticeText,
    demand_lines,
)

LONGEST = 5_000


class NoticeForm(FlaskForm):
    """A notice as the company writes it. `draft_id` makes a double click one draft."""

    draft_id = HiddenField()
    version = HiddenField()
    form_id = HiddenField()
    vendor = SelectField(_l("Vendor"), [InputRequired(_l("Choose the vendor."))])
    source = SelectField(_l("Source"), [InputRequired(_l("Choose the source."))])
    source_reference = StringField(
        _l("Reference of the source"),
        [Length(max=120)],
        description=_l(
            "Number or date of the form, opinion, result, complaint, letter or inspection."
        ),
    )
    level = SelectField(_l("Level"), [InputRequired(_l("Choose the level."))])
    working_days = IntegerField(
        _l("Deadline in working days"),
        [Optional(), NumberRange(1, MOST_DAYS, _l("Enter a number of working days, 1 to 60."))],
        description=_l("Empty: the level's own deadline. A later one may be granted."),
    )
    title = StringField(_l("Title"), [InputRequired(_l("Write a title.")), Length(max=200)])
    facts = TextAreaField(_l("Facts"), [Length(max=LONGEST)], render_kw={"rows": 6})
    grounds = TextAreaField(
        _l("Grounds"),
        [Length(max=LONGEST)],
        description=_l("The clauses of the penalty catalogue or of the contract that were broken."),
        render_kw={"rows": 3},
    )
    demands = TextAreaField(
        _l("Demands"),
        [Length(max=20_000)],
        description=_l("One demand on each line; they are numbered on the paper."),
        render_kw={"rows": 6},
    )
    consequence = TextAreaField(
        _l("Consequence of not correcting"), [Length(max=LONGEST)], render_kw={"rows": 3}
    )

    def text(self) -> NoticeText:
        """What was typed; 0 working days stand for the level's own deadline."""
        return NoticeText(
            title=" ".join((self.title.data or "").split()),
            source=self.source.data,
            level=self.level.data,
            facts=(self.facts.data or "").strip(),
            grounds=(self.grounds.data or "").strip(),
            demands=demand_lines(self.demands.data or ""),
            consequence=(self.consequence.data or "").strip(),
            working_days=self.working_days.data or 0,
            source_reference=" ".join((self.source_reference.data or "").split()),
        )

    def draft_uuid(self) -> UUID | None:
        """The id made when the empty form was shown; None when it was tampered with."""
        try:
            return UUID(self.draft_id.data or "")
        except ValueError:
            return None


class OpinionForm(FlaskForm):
    """A rectification opinion as the audit department writes it."""

    opinion_id = HiddenField()
    form_id = HiddenField()
    vendor = SelectField(_l("Vendor"), [InputRequired(_l("Choose the vendor."))])
    level = SelectField(_l("Level"), [InputRequired(_l("Choose the level."))])
    title = StringField(_l("Title"), [InputRequired(_l("Write a title.")), Length(max=200)])
    facts = TextAreaField(
        _l("Facts"),
        [InputRequired(_l("Write the facts.")), Length(max=LONGEST)],
        render_kw={"rows": 6},
    )
    grounds = TextAreaField(_l("Grounds"), [Length(max=LONGEST)], render_kw={"rows": 3})
    demands = TextAreaField(
        _l("Corrections proposed"),
        [InputRequired(_l("Write what is to be corrected.")), Length(max=20_000)],
        description=_l("One on each line; the vendor manager takes them over as demands."),
        render_kw={"rows": 5},
    )

    def opinion_uuid(self) -> UUID | None:
        """The id made when the empty form was shown; None when it was tampered with."""
        try:
            return UUID(self.opinion_id.data or "")
        except ValueError:
            return None


class AnswerForm(FlaskForm):
    """The vendor's answer (整改报告). What must be there is asked on submission, not on saving."""

    version = HiddenField()
    cause = TextAreaField(
        _l("Cause"),
        [Length(max=LONGEST)],
        description=_l("Why it happened: person, process, system."),
        render_kw={"rows": 4},
    )
    correction = TextAreaField(
        _l("What was corrected"),
        [Length(max=LONGEST)],
        description=_l("What was done about each demand, one by one."),
        render_kw={"rows": 5},
    )
    prevention = TextAreaField(
        _l("Prevention"),
        [Length(max=LONGEST)],
        description=_l("What keeps it from happening again."),
        render_kw={"rows": 4},
    )
    person_treatment = TextAreaField(
        _l("Treatment of the person concerned"),
        [Length(max=LONGEST)],
        description=_l("Training, suspension, or why nothing was called for."),
        render_kw={"rows": 2},
    )
    done_on = DateField(_l("Done on"), [Optional()])

    def text(self) -> AnswerText:
        """What was typed."""
        return AnswerText(
            cause=(self.cause.data or "").strip(),
            correction=(self.correction.data or "").strip(),
            prevention=(self.prevention.data or "").strip(),
            person_treatment=(self.person_treatment.data or "").strip(),
            done_on=self.done_on.data,
        )


class ReturnForm(FlaskForm):
    """Return an answer with a reason and a new date."""

    version = HiddenField()
    reason = TextAreaField(
        _l("What is wrong, and what is wanted instead"),
        [InputRequired(_l("Write the reason; the vendor reads it.")), Length(max=2_000)],
        render_kw={"rows": 3},
    )
    working_days = IntegerField(
        _l("New deadline in working days"),
        [
            InputRequired(_l("Enter a number of working days, 1 to 60.")),
            NumberRange(1, MOST_DAYS, _l("Enter a number of working days, 1 to 60.")),
        ],
    )


class MilestoneForm(FlaskForm):
    """A step of the correction and the day it is planned for."""

    text = StringField(
        _l("Step"), [InputRequired(_l("Write what is done by when.")), Length(max=200)]
    )
    planned_on = DateField(_l("Planned for"), [InputRequired(_l("Choose a day."))])


class ReopenForm(ReturnForm):
    """Open an accepted notice again, with a reason and a new date."""


class RecheckForm(FlaskForm):
    """The result of the effectiveness re-check."""

    version = HiddenField()
    result = RadioField(
        _l("Result"),
        [InputRequired(_l("Choose the result."))],
        choices=[
            SelectChoice(Recheck.EFFECTIVE.value, _l("Effective")),
            SelectChoice(Recheck.REOPENED.value, _l("Not effective: reopen this notice")),
            SelectChoice(Recheck.FOLLOWED.value, _l("Not effective: draft a follow-up notice")),
        ],
    )
    reason = TextAreaField(
        _l("What was checked, and what was found"),
        [InputRequired(_l("Write the reason; the vendor reads it.")), Length(max=1_000)],
        render_kw={"rows": 3},
    )
    working_days = IntegerField(
        _l("New deadline in working days"),
        [Optional(), NumberRange(1, MOST_DAYS, _l("Enter a number of working days, 1 to 60."))],
        description=_l("Only for reopening."),
    )


class RepetitionForm(FlaskForm):
    """What becomes of the next grade that a repetition proposes."""

    version = HiddenField()
    reason = TextAreaField(
        _l("Reason"),
        [Length(max=1_000)],
        description=_l("Needed to refuse; the vendor does not see it."),
        render_kw={"rows": 2},
    )
