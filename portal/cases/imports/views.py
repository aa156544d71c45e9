"""Pages of the import of cases."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import get_locale

from portal.cases.imports import queries
from portal.cases.imports.service import FLOW
from portal.cases.imports.sheet import COLUMNS
from portal.cases.models import CaseImport
from portal.cases.permissions import IMPORT
from portal.imports.views import ImportPages
from portal.kernel.phrases import phrase
from portal.kernel.web import db


def _more(row: CaseImport) -> dict[str, Any]:
    """Which columns change, and what each vendor gets."""
    report, lang = row.report, str(get_locale())
    vendors = queries.vendor_names(db(), [UUID(key) for key in report.get("vendors", {})])
    titles = {column.key: column.title(lang) for column in COLUMNS}
    return {
        "fields": [(titles.get(key, key), n) for key, n in report.get("fields", {}).items()],
        "vendors": [
            (vendors.get(UUID(key), "—"), counts)
            for key, counts in report.get("vendors", {}).items()
        ],
        "amount_new": report.get("amount_new", "0"),
    }


bp = ImportPages(
    flow=FLOW,
    endpoint="case_imports",
    prefix="/cases/imports",
    permission=IMPORT,
    templates="cases/imports",
    menu="cases.index",
    taking=phrase("Taking the cases"),
    more=_more,
).blueprint()
