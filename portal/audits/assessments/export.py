"""The list of assessment forms as a workbook."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from portal.audits.assessments.queries import FormRow
from portal.audits.words import FORM_STATES
from portal.files.export import ExportColumn, ExportSheet


def listed(rows: Sequence[FormRow]) -> ExportSheet:
    """The forms with the sums of their findings. A vendor's scope holds its own issued ones."""
    return ExportSheet(
        _("Assessment forms"),
        [
            ExportColumn(_("Number"), width=22),
            ExportColumn(_("Vendor")),
            ExportColumn(_("Material request"), width=22),
            ExportColumn(_("Month")),
            ExportColumn(_("Cases reviewed"), "integer"),
            ExportColumn(_("Passed"), "integer"),
            ExportColumn(_("Findings"), "integer"),
            ExportColumn(_("Points")),
            ExportColumn(_("Deduction"), "money"),
            ExportColumn(_("State")),
            ExportColumn(_("Auditor")),
            ExportColumn(_("Prepared"), "datetime"),
            ExportColumn(_("Head of the audit department"), width=20),
            ExportColumn(_("Issued"), "datetime"),
        ],
        [
            (
                row.number,
                row.vendor,
                row.request_no,
                row.period,
                row.reviewed,
                row.passed,
                row.findings,
                f"{row.points.normalize():f}",
                row.deduction,
                str(FORM_STATES[row.state][0]),
                row.prepared_by,
                row.prepared_at,
                row.confirmed_by,
                row.issued_at,
            )
            for row in rows
        ],
    )
