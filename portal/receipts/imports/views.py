"""Pages of the import of receipts."""

from __future__ import annotations

from typing import Any

from portal.imports.views import ImportPages
from portal.kernel.money import Money
from portal.kernel.phrases import phrase
from portal.receipts.imports.service import FLOW
from portal.receipts.models import ReceiptImport
from portal.receipts.permissions import IMPORT


def _more(row: ReceiptImport) -> dict[str, Any]:
    """What is credited, taken back, and does not count for commission."""
    sums = ("credited", "reversed", "excluded")
    return {"amounts": {key: Money(row.report.get(key, "0")) for key in sums}}


bp = ImportPages(
    flow=FLOW,
    endpoint="receipt_imports",
    prefix="/receipts/imports",
    permission=IMPORT,
    templates="receipts/imports",
    menu="receipts.index",
    taking=phrase("Recording the receipts"),
    more=_more,
).blueprint()
