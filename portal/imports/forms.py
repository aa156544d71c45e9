"""Forms of an import."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField


class UploadForm(FlaskForm):
    """One workbook."""

    file = FileField(
        _l("Workbook (.xlsx)"), [FileRequired(_l("Choose the workbook that you filled in."))]
    )


class TakeForm(FlaskForm):
    """Confirm what the report says; `leave_bad` is set by the button that names the bad rows."""

    version = HiddenField()
    leave_bad = HiddenField()
