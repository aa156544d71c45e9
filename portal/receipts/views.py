"""The list of receipts, and its export. For the company: vendors see theirs on their statement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.cases.rules import AGE_BANDS, month_bounds, normal_case_no
from portal.files.export import ExportColumn, ExportSheet, xlsx
from portal.journal.service import record
from portal.kernel.access import guard
from portal.kernel.errors import Invalid
from portal.kernel.web import actor, db
from portal.receipts import queries
from portal.receipts.permissions import IMPORT, VIEW
from portal.receipts.queries import ReceiptFilter
from portal.receipts.rules import EXCLUSION_NAMES

bp = Blueprint("receipts", __name__, url_prefix="/receipts")
Answer = str | Response
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        return None


def _filter() -> ReceiptFilter:
    """What the address asks for; what cannot be read counts as not asked."""
    period = request.args.get("period", "")
    try:
        month_bounds(period)
    except Invalid:
        period = ""
    asked = request.args.get("q", "").strip()[:60]
    band = request.args.get("band", "")
    return ReceiptFilter(
        _uuid("vendor"),
        period,
        normal_case_no(asked) or asked,
        _uuid("project"),
        band if band in AGE_BANDS else "",
    )


def _query(wanted: ReceiptFilter, at: str | None = None) -> str:
    values = {
        "vendor": wanted.vendor_id,
        "period": wanted.period,
        "q": wanted.case_no,
        "project": wanted.project_id,
        "band": wanted.band,
        "at": at,
    }
    return urlencode({name: value for name, value in values.items() if value})


@bp.get("/")
@guard(VIEW)
def index() -> Answer:
    """Receipts, the last credited first; sums where a filter bounds them."""
    wanted = _filter()
    page = queries.list_receipts(db(), wanted, request.args.get("at"))
    base = url_for("receipts.index")
    return render_template(
        "receipts/index.html",
        page=page,
        wanted=wanted,
        vendors=queries.vendor_choices(db()),
        project=queries.project_name(db(), wanted.project_id) if wanted.project_id else "",
        sums=queries.sums(db(), wanted) if wanted else None,
        reasons=EXCLUSION_NAMES,
        may_import=actor().may(IMPORT),
        export_url=f"{url_for('receipts.export')}?{_query(wanted)}",
        next_url=page.next and f"{base}?{_query(wanted, page.next)}",
        previous_url=page.previous and f"{base}?{_query(wanted, page.previous)}",
    )


@bp.get("/export.xlsx")
@guard(VIEW)
def export() -> Answer:
    """What the list shows as a workbook; that it was exported is journalled."""
    wanted = _filter()
    sheet = ExportSheet(
        _("Receipts"),
        [
            ExportColumn(_("Credited on"), "date"),
            ExportColumn(_("Serial"), width=24),
            ExportColumn(_("Vendor")),
            ExportColumn(_("Case number"), width=22),
            ExportColumn(_("Project"), width=20),
            ExportColumn(_("Age band")),
            ExportColumn(_("Amount"), "money"),
            ExportColumn(_("Takes back"), width=24),
            ExportColumn(_("Commission"), width=26),
        ],
        _export_rows(wanted),
    )
    answer = make_response(xlsx([sheet]))
    record(
        db(),
        "receipts.list.exported",
        ("receipts", None),
        actor=actor(),
        data={"vendor": wanted.vendor_id, "period": wanted.period, "case_no": wanted.case_no},
    )
    db().commit()
    answer.headers["Content-Type"] = XLSX
    answer.headers["Content-Disposition"] = 'attachment; filename="receipts.xlsx"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _export_rows(wanted: ReceiptFilter) -> Iterator[tuple[Any, ...]]:
    for one in queries.all_receipts(db(), wanted):
        why = one.exclusion
        yield (
            one.credited_on,
            one.serial,
            one.vendor,
            one.case_no,
            one.project,
            _("Written off") if one.age_band == "written_off" else one.age_band,
            one.amount,
            one.reverses or "",
            str(EXCLUSION_NAMES[why]) if why else _("Counts"),
        )


export.menu = "receipts.index"  # type: ignore[attr-defined]
