"""What a vendor sends to ask for an extension, and the company to decide on it."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from portal.kernel.reasons import MOST_REASON


class AskForm(FlaskForm):
    """More time, with the reason (延期申请)."""

    wanted = DateField(_l("Extended until"), [InputRequired(_l("Choose a working day."))])
    reason = TextAreaField(
        _l("Reason"),
        [InputRequired(_l("Write why more time is needed.")), Length(max=MOST_REASON)],
        description=_l("The company reads it and decides."),
        render_kw={"rows": 3},
    )


class ExtensionForm(FlaskForm):
    """The decision on an extension: a date, and the ground, which the vendor reads."""

    until = DateField(_l("Extended until"), [Optional()])
    note = TextAreaField(
        _l("Ground"),
        [InputRequired(_l("Write the ground of the decision.")), Length(max=MOST_REASON)],
        description=_l("The vendor reads it; a granted date keeps it as its ground."),
        render_kw={"rows": 3},
    )
