"""A draw's parts and records: one vendor's sample, replacing a case, checking the whole (A3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from portal.audits.draws import checking, exchanges, export, queries, replacing
from portal.audits.draws.permissions import MAKE, SEE
from portal.audits.draws.plans import options_of, span
from portal.audits.draws.views import Answer, draw_page
from portal.audits.models import Draw, DrawShare
from portal.kernel.access import guard
from portal.kernel.errors import Conflict, Invalid, NotFound, PortalError
from portal.kernel.texts import ngettext
from portal.kernel.web import actor, db

bp = Blueprint("draw_parts", __name__, url_prefix="/draws")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.post("/<uuid:draw_id>/recompute")
@guard(SEE)
def recompute(draw_id: UUID) -> Answer:
    """Recompute the sample from the record and say what came out."""
    row = queries.get_draw(db(), draw_id)
    try:
        found = checking.recompute(db(), row, actor=actor())
        db().commit()
    except PortalError as error:
        db().rollback()
        return draw_page(queries.get_draw(db(), draw_id), error), error.status
    if found:
        flash(_("The record does not give this sample:"), "error")
        for difference in found:
            flash(str(difference), "error")
    else:
        flash(
            ngettext(
                "Recomputed from the record: population, quotas, seeds and the one drawn "
                "case all agree.",
                "Recomputed from the record: population, quotas, seeds and the %(count)s "
                "drawn cases all agree.",
                row.total,
                count=row.total,
            ),
            "success",
        )
    return redirect(url_for("draws.show", draw_id=draw_id))


@bp.get("/<uuid:draw_id>/vendors/<uuid:vendor_id>")
@guard(SEE)
def share(draw_id: UUID, vendor_id: UUID) -> Answer:
    """One vendor's sample: the drawn cases with their positions."""
    row = queries.get_draw(db(), draw_id)
    part = queries.get_share(db(), draw_id, vendor_id)
    if part.positions is None:
        raise NotFound("sample")
    first = request.args.get("from", "")
    start = min(int(first), len(part.positions)) if first.isdecimal() else 0
    base = url_for("draw_parts.share", draw_id=draw_id, vendor_id=vendor_id)
    size = queries.SAMPLE_SIZE
    cases = queries.sample(db(), part, start)
    exchanged = exchanges.exchanges_of(db(), part)
    return render_template(
        "draws/share.html",
        strata=_strata(row, part, [case.position for case in cases]),
        draw=row,
        share=part,
        vendor=queries.vendor_names(db(), [vendor_id])[vendor_id],
        line=next(one for one in queries.shares_of(db(), row) if one.tenant_id == vendor_id),
        cases=cases,
        exchanges=exchanged,
        replaced={one.old_id: one for one in exchanged},
        start=start,
        may_replace=actor().may(MAKE) and part.request_id is not None,
        next_url=f"{base}?from={start + size}" if start + size < len(part.positions) else None,
        previous_url=f"{base}?from={max(0, start - size)}" if start else None,
    )


def _strata(row: Draw, part: DrawShare, places: Sequence[int]) -> dict[int, tuple[str, int]]:
    """Stratum and weight of the drawn cases, as people read them; empty by method /1."""
    options = options_of(row.options)
    found = {}
    for place, ((group, days, amount), weight) in queries.marks_of(db(), part, places).items():
        named = (group or _("without a group")) if options.group else ""
        names = (named, span(options.days, days), span(options.amounts, amount))
        found[place] = (" · ".join(name for name in names if name) or "—", weight)
    return found


@bp.post("/<uuid:draw_id>/vendors/<uuid:vendor_id>/replace")
@guard(MAKE)
def replace(draw_id: UUID, vendor_id: UUID) -> Answer:
    """Put the draw's next case in a case's place, with the reason that the vendor reads."""
    part = queries.get_share(db(), draw_id, vendor_id)
    try:
        case_id = UUID(request.form.get("case", ""))
    except ValueError as error:
        raise NotFound("drawn case") from error
    try:
        replacing.replace_case(
            db(),
            draw_id,
            vendor_id,
            case_id,
            reason=request.form.get("reason", ""),
            actor=actor(),
        )
    except (Invalid, Conflict) as error:
        db().rollback()
        flash(f"{error.message} {error.mend}", "warning")
    else:
        db().commit()
        flash(_("The case is replaced; the vendor is told."), "success")
    return redirect(f"/requests/{part.request_id}#items")


@bp.get("/<uuid:draw_id>/sample.xlsx")
@guard(SEE)
def sample(draw_id: UUID) -> Answer:
    """The whole record as a workbook, for the company's own files."""
    row = queries.get_draw(db(), draw_id)
    if row.seed is None:
        raise NotFound("sample")
    answer = make_response(export.workbook(db(), row))
    answer.headers["Content-Type"] = XLSX
    answer.headers["Content-Disposition"] = f'attachment; filename="draw-{row.period}.xlsx"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.get("/<uuid:draw_id>/record.json")
@guard(SEE)
def whole_record(draw_id: UUID) -> Answer:
    """What recomputes the whole draw offline: every population, seed and quota."""
    row = queries.get_draw(db(), draw_id)
    body = checking.whole_record(db(), row, actor=actor())
    db().commit()
    answer = make_response(body)
    answer.headers["Content-Type"] = "application/json"
    answer.headers["Content-Encoding"] = "gzip"
    name = f"draw-record-{row.period}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


_VIEWS: tuple[Any, ...] = (recompute, share, replace, sample, whole_record)
for _view in _VIEWS:
    _view.menu = "draws.index"
