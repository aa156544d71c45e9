"""Pages of the import of penalty clauses."""

from __future__ import annotations

from datetime import date
from typing import Any

from portal.imports.views import ImportPages
from portal.kernel.phrases import phrase
from portal.schemes.permissions import EDIT
from portal.vendors.clause_imports.models import ClauseImport
from portal.vendors.clause_imports.service import FLOW


def _more(row: ClauseImport) -> dict[str, Any]:
    """From when the version is in force."""
    day = row.report.get("in_force_from")
    return {"in_force_from": date.fromisoformat(day) if day else None}


bp = ImportPages(
    flow=FLOW,
    endpoint="clause_imports",
    prefix="/schemes/penalty_clauses/imports",
    permission=EDIT,
    templates="vendors/clause_imports",
    menu="schemes.index",
    taking=phrase("Making the new version"),
    more=_more,
).blueprint()
