"""Forms of material requests. Choices are passed in; nothing here asks the database."""

from __future__ import annotations

import re

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

_SEPARATORS = re.compile(r"[\s,;，；、]+")


class KindsCheckboxField(SelectMultipleField):
    """Several of a few, as check boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class CallUpForm(FlaskForm):
    """Materials of named cases, outside a draw (A10)."""

    vendor = SelectField(_l("Vendor"), [InputRequired(_l("Choose the vendor."))])
    numbers = TextAreaField(
        _l("Case numbers"),
        [InputRequired(_l("Name at least one case.")), Length(max=60_000)],
        description=_l("Paste them as they are: one a line, or separated by commas or spaces."),
        render_kw={"rows": 6, "spellcheck": "false", "autocapitalize": "characters"},
    )
    kinds = KindsCheckboxField(
        _l("Materials wanted"), [InputRequired(_l("Choose at least one kind of material."))]
    )
    reason = TextAreaField(
        _l("Reason"),
        [InputRequired(_l("Write why these materials are wanted.")), Length(max=1_000)],
        description=_l("The vendor reads it on the request."),
        render_kw={"rows": 3},
    )

    def case_numbers(self) -> list[str]:
        """The numbers as pasted, each once, in their order."""
        parts = _SEPARATORS.split(str(self.numbers.data or ""))
        return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


class AnswerForm(FlaskForm):
    """Why items cannot be provided."""

    reason = SelectField(_l("Why it cannot be provided"), validate_choice=False)
    note = TextAreaField(
        _l("Note"),
        [Length(max=1_000)],
        description=_l("For a system failure: what failed, when, and whom it was reported to."),
        render_kw={"rows": 2},
    )


class DecideForm(FlaskForm):
    """Accept or return the items ticked."""

    version = HiddenField()
    note = TextAreaField(
        _l("Note to the vendor"),
        [Length(max=1_000)],
        description=_l("Needed to return or cancel: what is wrong or wanted instead, or why."),
        render_kw={"rows": 2},
    )


class CancelForm(FlaskForm):
    """Why a request, or items of it, are taken back."""

    version = HiddenField()
    reason = TextAreaField(
        _l("Reason"),
        [InputRequired(_l("Write the reason; the vendor reads it.")), Length(max=1_000)],
        description=_l("The vendor reads it."),
        render_kw={"rows": 2},
    )


class SubstituteForm(CancelForm):
    """Which case is replaced by which other one of the same vendor (换抽)."""

    case_no = StringField(
        _l("Case to be replaced"),
        [InputRequired(_l("Give both case numbers.")), Length(max=80)],
    )
    by_case_no = StringField(
        _l("Case in its place"), [InputRequired(_l("Give both case numbers.")), Length(max=80)]
    )


class HandInForm(FlaskForm):
    """The state of the request that was on the page, and how many items it named as holding only
    unusable files."""

    version = HiddenField()
    unusable = HiddenField()
