"""Forms of appeals."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag
from wtforms.validators import InputRequired, Length

from portal.audits.appeals.rules import MOST_REASON


class AppealForm(FlaskForm):
    """Why a finding is disputed; files come beside it."""

    reason = TextAreaField(
        _l("Reason of the appeal"),
        [
            InputRequired(_l("Say what is wrong with the finding and what shows it.")),
            Length(max=MOST_REASON),
        ],
        description=_l("Whoever decides reads it, and it stays on record."),
        render_kw={"rows": 5},
    )


class DecisionForm(FlaskForm):
    """The decision on an appeal."""

    version = HiddenField()
    outcome = RadioField(
        _l("Decision on the appeal"),
        [InputRequired(_l("Choose the decision."))],
        choices=[
            SelectChoice("uphold", _l("Uphold: the finding falls")),
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
