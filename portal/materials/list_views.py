"""Pages of material requests before one is opened: the list, its workbook, a call-up (A3, A10)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.calendar import service as calendar_service
from portal.files.export import ExportColumn, ExportSheet, xlsx
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import Conflict, Invalid, PortalError
from portal.kernel.web import actor, db
from portal.materials import lists, pages, scheme, service
from portal.materials.forms import CallUpForm
from portal.materials.kinds import RequestState
from portal.materials.permissions import ISSUE, VIEW
from portal.materials.rules import Wanted
from portal.materials.words import ITEM_STATES, KINDS, OPTIONAL_MISSING, REASONS, REQUEST_STATES

bp = Blueprint("materials", __name__, url_prefix="/requests")
Answer = str | Response | tuple[str, int]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORDS = {
    "kind_names": KINDS,
    "request_states": REQUEST_STATES,
    "item_states": ITEM_STATES,
    "optional_missing": OPTIONAL_MISSING,
    "reasons": REASONS,
    "problems_of": pages.problems_of,
    "remarks_of": pages.remarks_of,
}


def uuids_of(values: list[str]) -> list[UUID]:
    """The ids among `values`; what is none is left out."""
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found


def _filters() -> lists.Filters:
    args = request.args
    state, manner = args.get("state", ""), args.get("manner", "")
    vendor = uuids_of([args.get("vendor", "")]) if actor().is_company else []
    return lists.Filters(
        state=state if state in set(RequestState) else "",
        vendor_id=vendor[0] if vendor else None,
        period=args.get("period", "")[:7],
        number=args.get("q", "").strip()[:40],
        manner=manner if manner in ("draw", "ad_hoc") else "",
        late=args.get("late") == "1",
        order="due" if args.get("order") == "due" else "issued",
    )


def _query(filters: lists.Filters, **more: str | None) -> str:
    values = {
        "state": filters.state,
        "vendor": filters.vendor_id,
        "period": filters.period,
        "q": filters.number,
        "manner": filters.manner,
        "late": "1" if filters.late else "",
        "order": filters.order if filters.order != "issued" else "",
        **more,
    }
    return urlencode({key: value for key, value in values.items() if value})


@bp.get("")
@guard(VIEW)
def index() -> Answer:
    """The list: every vendor's for the company, its own for a vendor."""
    filters = _filters()
    page = lists.list_requests(
        db(), filters, calendar_service.load(db()), request.args.get("cursor")
    )
    base = url_for("materials.index")
    return render_template(
        "materials/index.html",
        page=page,
        filters=filters,
        company=actor().is_company,
        vendors=lists.vendors(db()) if actor().is_company else [],
        may_issue=actor().may(ISSUE),
        next_url=page.next and f"{base}?{_query(filters, cursor=page.next)}",
        previous_url=page.previous and f"{base}?{_query(filters, cursor=page.previous)}",
        issued_url=f"{base}?{_query(filters, order='')}",
        due_url=f"{base}?{_query(filters, order='due')}",
        export_url=f"{url_for('materials.export')}?{_query(filters)}",
        **WORDS,
    )


@bp.get("/export")
@guard(VIEW)
def export() -> Answer:
    """The list as it is filtered, as a workbook."""
    filters = _filters()
    page = lists.list_requests(db(), filters, calendar_service.load(db()), size=lists.EXPORT_ROWS)
    columns = (
        ExportColumn(_("Number"), width=22),
        ExportColumn(_("Vendor")),
        ExportColumn(_("Month")),
        ExportColumn(_("Manner")),
        ExportColumn(_("Issued"), "datetime"),
        ExportColumn(_("Due"), "datetime"),
        ExportColumn(_("Handed in"), "datetime"),
        ExportColumn(_("Cases"), "integer"),
        ExportColumn(_("Expected"), "integer"),
        ExportColumn(_("Delivered"), "integer"),
        ExportColumn(_("Missing"), "integer"),
        ExportColumn(_("Cannot be provided"), "integer"),
        ExportColumn(_("Status")),
        ExportColumn(_("Clock")),
    )
    rows = [
        (
            row.number,
            row.vendor,
            row.period,
            _("Draw") if row.manner == "draw" else _("Call-up"),
            row.issued_at,
            row.clock.due_at if row.clock else None,
            row.handed_in_at,
            row.cases,
            row.counts.expected,
            row.counts.delivered,
            row.counts.missing,
            row.counts.unavailable,
            str(REQUEST_STATES[row.state][0]),
            str(row.clock.remaining) if row.clock else "",
        )
        for row in page.items
    ]
    answer = Response(xlsx([ExportSheet(_("Material requests"), columns, rows)]), mimetype=XLSX)
    name = f"requests-{clock.today():%Y%m%d}.xlsx"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@bp.route("/new", methods=["GET", "POST"])
@guard(ISSUE)
def new() -> Answer:
    """Call up materials of named cases (A10)."""
    form = CallUpForm()
    form.vendor.choices = [("", _("Choose …"))] + [
        (str(vendor_id), name) for vendor_id, name in lists.vendors(db())
    ]
    form.kinds.choices = [(kind, str(name)) for kind, name in KINDS.items()]
    defaults = {one.kind: one for one in scheme.wanted_by_default(db(), clock.today())}
    problem: PortalError | None = None
    if request.method == "GET":
        form.kinds.data = list(defaults)
        return render_template("materials/new.html", form=form, problem=None)
    if form.validate_on_submit():
        wanted = [
            defaults.get(kind) or Wanted(kind, required=True) for kind in form.kinds.data or []
        ]
        try:
            made = service.call_up(
                db(),
                tenant_id=UUID(form.vendor.data),
                case_numbers=form.case_numbers(),
                wanted=wanted,
                reason=form.reason.data or "",
                actor=actor(),
            )
        except (Invalid, Conflict) as error:
            db().rollback()
            problem = error
        else:
            db().commit()
            flash(_("Request %(number)s is issued.", number=made.number), "success")
            return redirect(url_for("materials.show", request_id=made.id))
    return render_template("materials/new.html", form=form, problem=problem), 422


def _menu() -> None:
    """Mark the pages that belong to the menu's entry."""
    views: tuple[Any, ...] = (index, new)
    for view in views:
        view.menu = "materials.index"


_menu()
