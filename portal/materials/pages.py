"""What the pages of a request show, put together from the reads (for views only)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from portal.calendar import service as calendar_service
from portal.deadlines.pages import extension_box
from portal.files.problems import describe
from portal.kernel.access import Actor
from portal.kernel.paging import Page
from portal.kernel.phrases import When
from portal.kernel.texts import ngettext
from portal.materials import answers, delivered, items, lists, papers, queries
from portal.materials.forms import CancelForm, SubstituteForm
from portal.materials.kinds import CheckState, RequestEventKind, RequestState
from portal.materials.models import HandIn, MaterialRequest, RequestEvent
from portal.materials.permissions import ASK, CHANGE
from portal.materials.rules import OPEN_STATES
from portal.materials.words import EVENTS, KINDS, REASONS

_SHOWN_EVENTS = 40


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """A line of the history as the timeline shows it; `count` lines alike stand as one."""

    at: datetime
    title: str
    who: str
    text: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Everything above and below the item table."""

    request: MaterialRequest
    row: lists.RequestRow
    paper_id: UUID | None
    hand_ins: tuple[HandIn, ...]
    events: tuple[TimelineEvent, ...]
    open: bool
    unhanded: bool
    unusable: tuple[str, ...]
    redrawn: Mapping[str, str]
    example: str
    cancelled: str

    @property
    def draw_rows(self) -> list[tuple[str, str]]:
        """What the vendor may know of its share of the draw, to repeat and check it (A3)."""
        facts = self.request.draw_facts
        labels = (
            ("method", _("Method")),
            ("population", _("Cases in hand")),
            ("quota", _("Cases drawn")),
            ("population_hash", _("Population hash")),
            ("seed", _("Seed")),
            ("seed_hash", _("Seed hash")),
        )
        return [(label, str(facts[key])) for key, label in labels if facts.get(key) is not None]

    @property
    def has_record(self) -> bool:
        """Whether the draw can be recomputed from a record that goes with the request."""
        return bool(self.request.draw_facts.get("record"))

    @property
    def days_late(self) -> int:
        """Working days late of the latest hand-in."""
        return self.hand_ins[-1].working_days_late if self.hand_ins else 0


def request_page(session: Session, request: MaterialRequest, first_case: str) -> RequestPage:
    """Put the page of a request together."""
    made = queries.hand_ins(session, request)
    events = queries.history(session, request)
    row = lists.request_row(session, request, calendar_service.load(session))
    paper = papers.request_paper(session, request)
    name = request.wanted[-1]["name"] if request.wanted else ""
    for entry in request.wanted:
        if "mp3" in entry["formats"]:
            name = entry["name"]
            break
    return RequestPage(
        request,
        row,
        paper.id if paper else None,
        tuple(made),
        tuple(timeline(events)),
        request.state in OPEN_STATES,
        answers.changed_since(session, request, made[-1] if made else None),
        tuple(items.unusable_labels(session, request)) if row.counts.problems else (),
        redrawn(events),
        f"{first_case}_{name}_1.mp3",
        _why_cancelled(session, request),
    )


def _why_cancelled(session: Session, request: MaterialRequest) -> str:
    """The reason of a cancelled request, as its history has it."""
    if request.state != RequestState.CANCELLED:
        return ""
    newest = queries.history(session, request, limit=1)
    return str(newest[0].data.get("note", "")) if newest else ""


def change_forms(
    session: Session, shown: RequestPage, person: Actor, given: Mapping[str, FlaskForm]
) -> dict[str, Any]:
    """What the page offers of extensions, cancelling and replacing, by who looks at it. `given`:
    the form that was posted and refused, by its name."""
    request = shown.request
    version = str(request.version)
    cancel = given.get("cancel") or CancelForm(formdata=None, prefix="cancel-")
    substitute = given.get("substitute") or SubstituteForm(formdata=None, prefix="substitute-")
    for form in (cancel, substitute):
        form.version.data = version
    changes = person.is_company and person.may(CHANGE)
    may_change = changes and shown.open
    return {
        "extension": extension_box(
            session,
            (request.tenant_id, request.id, queries.CLOCK),
            given,
            may_ask=not person.is_company and person.may(ASK) and shown.open,
            may_decide=changes and request.state != RequestState.CANCELLED,
        ),
        "may_change": may_change,
        "may_substitute": may_change and request.manner == "ad_hoc",
        "cancel_form": cancel,
        "substitute_form": substitute,
    }


def problems_of(file: delivered.FileRow) -> list[str]:
    """What the check found, in the reader's language, each with how to mend it."""
    return _sentences(file.problems)


def remarks_of(file: delivered.FileRow) -> list[str]:
    """What is to be looked at though the file can be used."""
    return _sentences(file.remarks)


def _sentences(said: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    found = []
    for code, params in said:
        try:
            found.append(str(describe(code, params)))
        except KeyError:
            found.append(_("The file cannot be used. Export it again and replace it."))
    return found


def pending(page: Page[items.ItemRow]) -> bool:
    """Whether a check of a file on the page still runs, or the making of its copy."""
    files = (file for item in page.items for file in item.files)
    return any(file.check_state == CheckState.PENDING or file.copying for file in files)


def redrawn(events: Sequence[RequestEvent]) -> dict[str, str]:
    """What is said of cases that were exchanged (换抽), old and new, with the reason, by number."""
    said: dict[str, str] = {}
    for event in events:
        if event.kind == RequestEventKind.SUBSTITUTED:
            for number in (event.data["case_no"], event.data["by_case_no"]):
                said.setdefault(number, _text([event]))
    return said


def timeline(events: Sequence[RequestEvent]) -> list[TimelineEvent]:
    """Newest first; files that one person delivered in a row stand as one line."""
    lines: list[TimelineEvent] = []
    run: list[RequestEvent] = []
    for event in events:
        if run and (event.kind, event.by_name) != (run[-1].kind, run[-1].by_name):
            lines.append(_line(run))
            run = []
        run.append(event)
        if event.kind != RequestEventKind.DELIVERED:
            lines.append(_line(run))
            run = []
    if run:
        lines.append(_line(run))
    return lines[:_SHOWN_EVENTS]


def _line(run: Sequence[RequestEvent]) -> TimelineEvent:
    event = run[0]
    title, tone, icon = EVENTS[event.kind]
    if event.kind == RequestEventKind.HANDED_IN and not event.data.get("in_time", True):
        tone = "danger"
    return TimelineEvent(event.at, str(title), event.by_name, _text(run), tone, icon)


def _text(run: Sequence[RequestEvent]) -> str:
    event, data = run[0], run[0].data
    if event.kind == RequestEventKind.DELIVERED and len(run) > 1:
        return str(ngettext("%(count)s file", "%(count)s files", len(run), count=len(run)))
    if event.kind == RequestEventKind.ISSUED:
        return str(
            ngettext(
                "%(count)s case",
                "%(count)s cases",
                data.get("cases", 0),
                count=data.get("cases", 0),
            )
        )
    if event.kind == RequestEventKind.HANDED_IN:
        return _handed_in(data)
    parts = []
    if "case_no" in data and "kind" in data:
        parts.append(f"{data['case_no']} · {KINDS[data['kind']]}")
    elif "items" in data:
        parts.append(
            ngettext("%(count)s item", "%(count)s items", data["items"], count=data["items"])
        )
    if "by_case_no" in data:
        parts.append(
            _("%(old)s is replaced by %(new)s", old=data["case_no"], new=data["by_case_no"])
        )
    elif "until" in data:
        parts.append(_("until %(until)s", until=_beijing(data["until"])))
    if "file" in data:
        parts.append(str(data["file"]))
    if data.get("reason"):
        parts.append(str(REASONS[data["reason"]]))
    if data.get("note"):
        parts.append(str(data["note"]))
    return "\n".join(parts)


def _beijing(text: str) -> str:
    return str(When(datetime.fromisoformat(text)))


def _handed_in(data: dict[str, Any]) -> str:
    standing = _(
        "Receipt R%(no)s: %(delivered)s delivered, %(unavailable)s cannot be provided, "
        "%(missing)s missing.",
        no=data["no"],
        delivered=data["delivered"],
        unavailable=data["unavailable"],
        missing=data["missing"],
    )
    if data.get("unusable"):
        unfit = ngettext(
            "%(count)s of the missing has only unusable files.",
            "%(count)s of the missing have only unusable files.",
            data["unusable"],
            count=data["unusable"],
        )
        standing = f"{standing} {unfit}"
    verdict = _("In time.")
    if not data["in_time"]:
        verdict = ngettext(
            "Late by %(days)s working day.",
            "Late by %(days)s working days.",
            data["days_late"],
            days=data["days_late"],
        )
    return f"{standing} {verdict}"
