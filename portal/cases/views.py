"""Pages of cases: the list, exact search, the export, a case, its status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from portal.cases import listing, queries, service
from portal.cases.forms import FindForm, StatusForm
from portal.cases.listing import CaseFilter, CaseLine, ExportLine
from portal.cases.permissions import CHANGE_STATUS, EXPORT, IMPORT, REVEAL, VIEW
from portal.cases.queries import CaseView, StatusStep
from portal.cases.rules import AGE_BANDS, STATUS_NAMES, TRANSITIONS, CaseStatus
from portal.files.export import ExportColumn, ExportSheet, xlsx
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import PortalError
from portal.kernel.texts import code
from portal.kernel.texts import gettext as _
from portal.kernel.web import actor, check_version, db

bp = Blueprint("cases", __name__, url_prefix="/cases")
Answer = str | Response | tuple[str, int]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
STATUS_TONES = {
    CaseStatus.IN_HAND: ("info", "folder-open"),
    CaseStatus.SUSPENDED: ("warning", "player-pause"),
    CaseStatus.WITHDRAWN: ("neutral", "arrow-back-up"),
    CaseStatus.RETURNED: ("neutral", "send"),
    CaseStatus.KEPT: ("review", "lock"),
    CaseStatus.SETTLED: ("success", "circle-check"),
}


_STATUSES = frozenset(status.value for status in CaseStatus)


def _uuid(name: str) -> UUID | None:
    text = request.args.get(name)
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _filter() -> CaseFilter:
    """What the address asks for; a vendor's own id stands in for the choice it does not have."""
    company = actor().is_company
    vendor_id = _uuid("vendor") if company else None
    belongs = not company or vendor_id is not None
    status, band = request.args.get("status", ""), request.args.get("band", "")
    return CaseFilter(
        vendor_id=vendor_id,
        project_id=_uuid("project") if belongs else None,
        group_id=_uuid("group") if belongs else None,
        status=status if status in _STATUSES else "",
        age_band=band if band in AGE_BANDS else "",
        case_no=listing.prefix_of(request.args.get("q", "")),
    )


def _query(wanted: CaseFilter, **more: str) -> str:
    """The query of an address that shows the same filter."""
    values = {
        "vendor": wanted.vendor_id,
        "project": wanted.project_id,
        "group": wanted.group_id,
        "status": wanted.status,
        "band": wanted.age_band,
        "q": wanted.case_no,
        **more,
    }
    return urlencode({name: value for name, value in values.items() if value})


def _sort(wanted: CaseFilter) -> str:
    asked = request.args.get("sort", "")
    return wanted.sort or (asked if asked in listing.SORTS else listing.DEFAULT_SORT)


@lru_cache(maxsize=8)
def _status_names(_locale: str) -> dict[str, str]:
    return {status.value: str(name) for status, name in STATUS_NAMES.items()}


@lru_cache(maxsize=8)
def _status_chips(chip: Callable[..., Markup], locale: str) -> dict[str, Markup]:
    names = _status_names(locale).items()
    return {status: chip(name, *STATUS_TONES[CaseStatus(status)]) for status, name in names}


@lru_cache(maxsize=8)
def _band_names(_locale: str) -> dict[str, Markup]:
    return {band: escape(_("Written off") if band == "written_off" else band) for band in AGE_BANDS}


def _list_page(
    rows: Sequence[CaseLine],
    wanted: CaseFilter,
    find: FindForm | None,
    *,
    problem: PortalError | None = None,
    **more: Any,
) -> str:
    person = actor()
    return render_template(
        "cases/index.html",
        lines=rows,
        wanted=wanted,
        company=person.is_company,
        choices=listing.choices(db(), vendor_id=wanted.vendor_id),
        statuses=_status_names(code()),
        chips=_status_chips(current_app.jinja_env.globals["ui_chip"], code()),
        bands=_band_names(code()),
        find=find,
        problem=problem,
        may_import=person.may(IMPORT),
        may_export=person.may(EXPORT),
        **more,
    )


@bp.get("/")
@guard(VIEW)
def index() -> Answer:
    """The list: all vendors' for the company, its own for a vendor."""
    wanted = _filter()
    sort = _sort(wanted)
    page = listing.list_cases(db(), wanted, sort, request.args.get("at"))
    base, narrowed = url_for("cases.index"), _query(wanted)
    narrowed = narrowed and f"{narrowed}&"
    return _list_page(
        page.items,
        wanted,
        None,
        sort=sort,
        sort_urls={key: f"{base}?{narrowed}sort={key}" for key in listing.SORTS},
        next_url=page.next and f"{base}?{narrowed}sort={sort}&at={page.next}",
        previous_url=page.previous and f"{base}?{narrowed}sort={sort}&at={page.previous}",
        export_url=f"{url_for('cases.export')}?{narrowed}sort={sort}",
    )


@bp.post("/find")
@guard(VIEW)
def find() -> Answer:
    """Exact search by card or phone number: posted, so that no address or log holds it."""
    form, status = FindForm(), 422
    rows: Sequence[CaseLine] = ()
    problem: PortalError | None = None
    if form.validate_on_submit():
        try:
            found = listing.find_personal(db(), form.number.data or "")
        except PortalError as error:
            problem = error
        else:
            rows, status = found, 200
    body = _list_page(rows, CaseFilter(), form, problem=problem, searched=status == 200)
    answer = make_response(body, status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/export.xlsx")
@guard(EXPORT)
def export() -> Answer:
    """What the list shows, personal data masked, as a workbook of at most 10,000 rows."""
    wanted = _filter()
    sort = _sort(wanted)
    try:
        rows = listing.export_cases(db(), wanted, sort)
    except PortalError as error:
        flash(f"{error.message} {error.mend}", "error")
        return redirect(f"{url_for('cases.index')}?{_query(wanted, sort=sort)}")
    record(
        db(),
        "cases.list.exported",
        ("case_list", None),
        actor=actor(),
        data={"rows": len(rows)},
    )
    db().commit()
    body = xlsx([_sheet(rows, company=actor().is_company)])
    return _download(body, f"cases-{clock.beijing(clock.now()):%Y%m%d-%H%M}.xlsx")


def _download(body: bytes, name: str) -> Response:
    answer = make_response(body)
    answer.headers["Content-Type"] = XLSX
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _sheet(rows: Sequence[ExportLine], *, company: bool) -> ExportSheet:
    statuses, bands = _status_names(code()), _band_names(code())
    columns = [
        ExportColumn(_("Case number"), width=20),
        ExportColumn(_("Project")),
        ExportColumn(_("Entrusting company")),
        ExportColumn(_("Debtor")),
        ExportColumn(_("Card number"), width=22),
        ExportColumn(_("Amount entrusted"), "money"),
        ExportColumn(_("Days past due"), "integer"),
        ExportColumn(_("Age band")),
        ExportColumn(_("Date entrusted"), "date"),
        ExportColumn(_("Due back"), "date"),
        ExportColumn(_("Group")),
        ExportColumn(_("Agent")),
        ExportColumn(_("Status")),
    ]
    cells = [
        [
            row.case_no,
            row.project,
            row.entrusting_company,
            row.debtor_masked,
            row.card_masked,
            row.amount,
            row.days_past_due,
            bands[row.age_band],
            row.entrusted_on,
            row.due_back_on,
            row.group,
            row.member,
            statuses[row.status],
        ]
        for row in rows
    ]
    if company:
        columns.insert(0, ExportColumn(_("Vendor")))
        for line, row in zip(cells, rows, strict=True):
            line.insert(0, row.vendor)
    return ExportSheet(_("Cases"), columns, cells)


def _case_page(
    found: tuple[CaseView, tuple[StatusStep, ...]],
    form: StatusForm,
    *,
    problem: PortalError | None = None,
    personal: Any = None,
) -> str:
    case, steps = found
    person = actor()
    form.version.data = str(case.version)
    return render_template(
        "cases/show.html",
        case=case,
        form=form,
        problem=problem,
        personal=personal,
        company=person.is_company,
        statuses=_status_names(code()),
        tones=STATUS_TONES,
        bands=_band_names(code()),
        steps=steps,
        may_reveal=person.may(REVEAL),
        may_change=person.may(CHANGE_STATUS) and bool(TRANSITIONS[case.status]),
    )


def _status_form(status: CaseStatus) -> StatusForm:
    form = StatusForm()
    names = _status_names(code())
    form.status.choices = [(next_.value, names[next_.value]) for next_ in TRANSITIONS[status]]
    return form


@bp.get("/<uuid:case_id>")
@guard(VIEW)
def show(case_id: UUID) -> Answer:
    """A case: its facts with personal data masked, and its changes of status."""
    found = queries.whole_case(db(), case_id)
    return _case_page(found, _status_form(found[0].status))


@bp.post("/<uuid:case_id>/reveal")
@guard(REVEAL)
def reveal(case_id: UUID) -> Answer:
    """Uncover the personal data once: in the answer to this POST only, and on record (C4.1)."""
    row = service.get_row(db(), case_id)
    personal = service.reveal(db(), row, actor=actor())
    db().commit()
    found = queries.whole_case(db(), case_id)
    body = _case_page(found, _status_form(found[0].status), personal=personal)
    answer = make_response(body)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/<uuid:case_id>/status")
@guard(CHANGE_STATUS)
def change_status(case_id: UUID) -> Answer:
    """Give the case another status."""
    row = service.get_row(db(), case_id, lock=True)
    form = _status_form(CaseStatus(row.status))
    problem: PortalError | None = None
    try:
        check_version(row, form.version.data)
        if form.validate_on_submit():
            service.change_status(
                db(),
                row,
                CaseStatus(form.status.data),
                reason=form.reason.data or "",
                actor=actor(),
            )
            db().commit()
            flash(_("The status was changed."), "success")
            return redirect(url_for("cases.show", case_id=case_id))
    except PortalError as error:
        problem = error
        db().rollback()
    found = queries.whole_case(db(), case_id)
    return _case_page(found, form, problem=problem), problem.status if problem else 422


_VIEWS: tuple[Any, ...] = (find, export, show, reveal, change_status)
for _view in _VIEWS:
    _view.menu = "cases.index"
