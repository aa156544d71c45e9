"""The expected calls of a request, one by one, and the dialler's lists that they come from (A3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from portal.contacts import queries as contacts
from portal.contacts import service
from portal.contacts.permissions import IMPORT
from portal.contacts.sheet import COLUMNS, MAX_ROWS, TEMPLATE
from portal.files.blank import template_workbook
from portal.files.export import xlsx
from portal.files.problems import describe
from portal.files.web import attached
from portal.imports.pages import remark_sheet, size_problem
from portal.jobs.models import RunState
from portal.jobs.queries import RunView, newest_view
from portal.jobs.service import enqueue, error_of
from portal.kernel.access import guard
from portal.kernel.errors import NotFound
from portal.kernel.web import actor, db, is_htmx
from portal.materials import items
from portal.materials.events import get_request
from portal.materials.expected import window_of
from portal.materials.models import MaterialRequest
from portal.materials.permissions import VIEW
from portal.materials.queries import case_ids_on, counts_of
from portal.materials.rules import OPEN_STATES, Counts
from portal.materials.words import ITEM_STATES, KINDS

bp = Blueprint("material_calls", __name__, url_prefix="/requests/<uuid:request_id>/calls")
Answer = str | Response | tuple[str, int]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN = ("all", "missing", "delivered", "unavailable", "returned", "accepted")


@dataclass(frozen=True, slots=True)
class CallCounts:
    """The calls of a request's cases in its window. `omitted`: connected calls that the company's
    list has and the vendor's lacks; `only_vendor`: the other way round; for the company only."""

    calls: int
    connected: int
    omitted: int
    only_vendor: int
    listed_by_vendor: bool
    listed_by_company: bool


def call_counts(session: Session, found: MaterialRequest) -> CallCounts:
    """Count the calls of the request's cases in its window."""
    since, until = window_of(found)
    cases = case_ids_on(session, found)
    calls = contacts.calls_of(session, found.tenant_id, cases, since, until)
    connected = [call for call in calls if call.connected]
    vendor = any(call.by_vendor for call in calls)
    company = any(call.by_company for call in calls)
    return CallCounts(
        len(calls),
        len(connected),
        sum(not call.by_vendor for call in connected) if vendor else 0,
        sum(not call.by_company for call in connected) if company else 0,
        vendor,
        company,
    )


def _page(request_id: UUID, problem: str = "") -> str:
    found = get_request(db(), request_id)
    wanted = request.args.get("show", "all")
    show = wanted if wanted in SHOWN else "all"
    page = items.list_items(db(), found, show, request.args.get("cursor"), calls_only=True)
    here = url_for("material_calls.index", request_id=found.id)
    state = {"show": show} if show != "all" else {}
    lists, run = _lists(db(), found)
    since, until = window_of(found)
    return render_template(
        "materials/calls.html",
        found=found,
        page=page,
        show=show,
        counts=call_counts(db(), found),
        shares=counts_of(db(), [found.id], calls_only=True).get(found.id, Counts()).shares,
        company=actor().is_company,
        lists=lists,
        told={one.id: _told(one) for one in lists},
        since=since,
        until=until,
        run=run,
        run_url=url_for("material_calls.progress", request_id=found.id),
        run_error=error_of(run),
        may_import=actor().may(IMPORT) and found.state in OPEN_STATES,
        form=FlaskForm(),
        problem=problem,
        columns=[(column.title(_lang()), column.required) for column in COLUMNS],
        max_mb=service.MAX_BYTES // (1024 * 1024),
        max_rows=MAX_ROWS,
        item_states=ITEM_STATES,
        kind_names=KINDS,
        next_url=page.next and f"{here}?{urlencode({**state, 'cursor': page.next})}",
        previous_url=page.previous and f"{here}?{urlencode({**state, 'cursor': page.previous})}",
    )


def _lists(
    session: Session, found: MaterialRequest
) -> tuple[list[contacts.ListLine], RunView | None]:
    """The lists so far, and the work on the newest while it is not taken yet."""
    lists = contacts.lists_of(session, found.tenant_id)
    if not lists or lists[0].state != "uploaded":
        return lists, None
    run = newest_view(session, lists[0].run_id)
    if run is not None and run.state == RunState.DONE:
        return contacts.lists_of(session, found.tenant_id), None
    return lists, run


def _lang() -> str:
    return str(get_locale())


def _told(one: contacts.ListLine) -> list[tuple[str, str, str]]:
    """What is wrong with a list: place, what stands there, the sentence."""
    whole = [("", "", str(describe(e["code"], e["params"]))) for e in one.file_errors]
    return whole + [
        (
            f"{e['letter']}{e['row']} · {e['title']}",
            e["shown"],
            str(describe(e["code"], e["params"])),
        )
        for e in one.errors
    ]


@bp.get("")
@guard(VIEW)
def index(request_id: UUID) -> Answer:
    """Expected, delivered, missing by call and time; the lists; to the company what differs."""
    return _page(request_id)


@bp.post("")
@guard(IMPORT)
def upload(request_id: UUID) -> Answer:
    """Import a list: the vendor's with its delivery, or the company's own."""
    found = get_request(db(), request_id)
    sent = request.files.get("file")
    problem = _problem(sent.filename if sent else None, sent.stream if sent else None)
    if sent is None or problem:
        return _page(request_id, problem), 422
    name = sent.filename or ""
    row = service.add_list(
        db(),
        sent.stream,
        tenant_id=found.tenant_id,
        name=name,
        media_type=XLSX if name.lower().endswith(".xlsx") else "text/csv",
        actor=actor(),
    )
    row.run_id = enqueue(db(), "materials.take_calls", {"list_id": row.id}, actor=actor())
    db().commit()
    flash(_("The list is being read; its calls appear below."), "success")
    return redirect(url_for("material_calls.index", request_id=found.id))


def _problem(name: str | None, stream: IO[bytes] | None) -> str:
    """Why a file cannot be a list; "" when it may be one."""
    if not name or stream is None:
        return str(_("Choose the list that the dialler wrote."))
    if not name.lower().endswith((".xlsx", ".csv", ".txt")):
        return str(_("A list of calls is a workbook (.xlsx) or a CSV file."))
    wrong = size_problem(stream, service.MAX_BYTES)
    if wrong is not None:
        return str(wrong.message)
    return ""


@bp.get("/template.xlsx")
@guard(VIEW)
def template(request_id: UUID) -> Answer:
    """The empty list, in the reader's language (UX 8)."""
    get_request(db(), request_id)
    return attached(template_workbook(TEMPLATE, _lang()), "calls-template.xlsx")


@bp.get("/lists/<uuid:list_id>/errors.xlsx")
@guard(VIEW)
def errors(request_id: UUID, list_id: UUID) -> Answer:
    """The wrong cells of a list as a workbook, with the row numbers of the original (UX 8)."""
    found = get_request(db(), request_id)
    row = service.get_list(db(), list_id)
    if row.tenant_id != found.tenant_id:
        raise NotFound("call list")
    body = xlsx([remark_sheet(_("Errors"), contacts.remarks_of(row))])
    return attached(body, f"{row.safe_name.rpartition('.')[0]}-errors.xlsx")


@bp.get("/progress")
@guard(VIEW)
def progress(request_id: UUID) -> Answer:
    """The bar of the list at work; when it has ended, the page is loaded anew."""
    found = get_request(db(), request_id)
    page = url_for("material_calls.index", request_id=found.id)
    lists = contacts.lists_of(db(), found.tenant_id, limit=1)
    run = newest_view(db(), lists[0].run_id) if lists else None
    if not is_htmx() or run is None:
        return redirect(page)
    if run.ended:
        answer = make_response("")
        answer.headers["HX-Redirect"] = page
        return answer
    return render_template(
        "materials/_calls_progress.html",
        run=run,
        run_url=url_for("material_calls.progress", request_id=found.id),
        run_error=error_of(run),
    )


def _menu() -> None:
    """Mark the pages that belong to the menu's entry."""
    views: tuple[Any, ...] = (index, upload, template, errors, progress)
    for view in views:
        view.menu = "materials.index"


_menu()
