"""The queue of drawn cases as a workbook."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from portal.audits.reviews.queries import QueueRow
from portal.audits.words import STAGES
from portal.files.export import ExportColumn, ExportSheet


def listed(rows: Sequence[QueueRow]) -> ExportSheet:
    """The cases with their materials, findings and verdicts; no personal data (C4.1)."""
    verdicts = {None: _("To be judged"), "pass": _("Passed"), "fail": _("Not passed")}
    return ExportSheet(
        _("Drawn cases"),
        [
            ExportColumn(_("Case number"), width=24),
            ExportColumn(_("Vendor")),
            ExportColumn(_("Material request"), width=22),
            ExportColumn(_("Entrusting company"), width=24),
            ExportColumn(_("Expected"), "integer"),
            ExportColumn(_("Delivered"), "integer"),
            ExportColumn(_("Cannot be provided"), "integer"),
            ExportColumn(_("Findings"), "integer"),
            ExportColumn(_("Stage")),
            ExportColumn(_("First listened by")),
            ExportColumn(_("Verdict")),
            ExportColumn(_("Judged by")),
        ],
        [
            (
                row.case_no,
                row.vendor,
                row.request_no,
                row.entrusting_company,
                row.wanted,
                row.here,
                row.unavailable,
                row.findings,
                str(STAGES[row.stage][0]),
                row.heard_by,
                verdicts[row.verdict],
                row.judged_by,
            )
            for row in rows
        ],
    )
