"""What the home page's templates show, made ready in Python: a page has milliseconds."""

from __future__ import annotations

import calendar
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from markupsafe import Markup

from portal.calendar.rules import WorkingCalendar
from portal.dashboards.queries import Clock, Month, Work
from portal.deadlines.models import Deadline
from portal.deadlines.queries import ClockView, clock_view, remaining_text
from portal.deadlines.rules import Tone, tone
from portal.kernel import clock as clocks
from portal.kernel.texts import gettext, ngettext
from portal.materials.words import REQUEST_STATES
from portal.rectification.words import STATES as NOTICE_STATES
from portal.scoring.charts import trend_chart, trend_rows
from portal.scoring.queries import TrendPoint
from portal.scoring.scheme import Scheme, parse_scheme

CARDS = 3
SUBJECT = 60
GRADE_TONES = ("success", "info", "warning", "danger")


def _(message: str, **params: object) -> str:
    return str(gettext(message, **params))


@dataclass(frozen=True, slots=True)
class Card:
    """A piece of work with its clock."""

    title: str
    clock: ClockView
    chip: str
    kind: str
    number: str
    url: str
    note: str
    action: str
    urgent: bool
    vendor: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of requests and notices."""

    url: str
    number: str
    kind: str
    subject: str
    cases: str
    issued_at: datetime
    due_at: datetime | None
    remaining: str
    tone: str
    chip: str
    chip_tone: str
    progress: str
    action: str
    vendor: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """The fixed words of the table, in one language."""

    caption: str
    number: str
    kind: str
    vendor: str
    subject: str
    cases: str
    delivered: str
    issued: str
    due: str
    left: str
    state: str
    action: str


@lru_cache(maxsize=16)
def words(locale: str, *, company: bool) -> Words:
    """The table's words. Looked up once a language: on a page that has milliseconds they would
    take one of them."""
    del locale
    return Words(
        caption=_("Requests in delivery") if company else _("Requests and notices"),
        number=_("Number"),
        kind=_("Kind"),
        vendor=_("Vendor"),
        subject=_("Subject"),
        cases=_("Cases"),
        delivered=_("Delivered"),
        issued=_("Time of issue"),
        due=_("Time due"),
        left=_("Left"),
        state=_("State"),
        action=_("Action"),
    )


def tone_names() -> dict[Tone, str]:
    """What each tone is called on a chip."""
    return {
        Tone.CALM: _("In progress"),
        Tone.SOON: _("Due soon"),
        Tone.URGENT: _("Urgent"),
        Tone.OVERDUE: _("Overdue"),
    }


def due_and_late(found: Sequence[Clock], now: datetime) -> tuple[int, int]:
    """How many clocks end today (Beijing) and are not over, and how many are over."""
    today = clocks.beijing(now).date()
    late = sum(one.due_at < now for one in found)
    due = sum(one.due_at >= now and clocks.beijing(one.due_at).date() == today for one in found)
    return due, late


def path_of(subject_type: str, subject_id: UUID) -> str:
    """The page of what a clock runs for."""
    place = {
        "material_request": "requests",
        "rectification": "rectifications",
        "fact_check": "fact-checks",
    }.get(subject_type)
    return f"/{place}/{subject_id}" if place else "/reviews"


def kind_of(work: Work) -> str:
    """What a request or notice is called."""
    if work.kind == "rectification":
        return _("Rectification")
    return _("Draw request") if work.draw else _("Call-up")


def subject_of(work: Work) -> str:
    """What it is about, in one line."""
    if work.kind == "request" and work.draw:
        return ngettext(
            "Materials of %(count)s drawn case",
            "Materials of %(count)s drawn cases",
            work.cases,
            count=work.cases,
        )
    text = work.subject.strip().splitlines()[0] if work.subject.strip() else work.number
    return text if len(text) <= SUBJECT else f"{text[:SUBJECT]}…"


def cards(
    found: Sequence[Clock],
    works: Sequence[Work],
    days: WorkingCalendar,
    now: datetime,
    *,
    may: Mapping[str, bool],
) -> list[Card]:
    """The most pressing clocks with what they run for."""
    known, names = {work.id: work for work in works}, tone_names()
    made = []
    for one in found[:CARDS]:
        work = known.get(one.subject_id)
        view = clock_view(cast("Deadline", one), days, now)
        made.append(
            Card(
                title=subject_of(work) if work else one.label,
                clock=view,
                chip=names[Tone(view.tone)],
                kind=kind_of(work) if work else "",
                number=one.label,
                url=path_of(one.subject_type, one.subject_id),
                note=_note(work, one.subject_type),
                action=_action(one.subject_type, may),
                urgent=view.tone in (Tone.URGENT, Tone.OVERDUE),
            )
        )
    return made


def _action(subject_type: str, may: Mapping[str, bool]) -> str:
    if not may.get(subject_type):
        return _("Open")
    return _("Deliver files") if subject_type == "material_request" else _("Answer")


def _note(work: Work | None, subject_type: str) -> str:
    if subject_type != "material_request":
        what = _("Checks of facts") if subject_type == "fact_check" else _("Rectification")
        return f"{what} · " + _("Waits for the answer")
    if work is None:
        return _("Waits for the answer")
    return f"{kind_of(work)} · " + _(
        "Delivered %(done)s / %(expected)s", done=work.delivered, expected=work.expected
    )


def rows(
    works: Sequence[Work],
    found: Sequence[Clock],
    days: WorkingCalendar,
    now: datetime,
    *,
    vendors: Mapping[UUID, str] | None = None,
    may: Mapping[str, bool] | None = None,
) -> list[Row]:
    """The table's lines."""
    running = {one.subject_id: one for one in reversed(found)}
    return [_row(work, running.get(work.id), days, now, vendors or {}, may or {}) for work in works]


def _row(
    work: Work,
    clock: Clock | None,
    days: WorkingCalendar,
    now: datetime,
    vendors: Mapping[UUID, str],
    may: Mapping[str, bool],
) -> Row:
    request = work.kind == "request"
    subject_type = "material_request" if request else "rectification"
    colour, remaining = "", "—"
    states = REQUEST_STATES if request else NOTICE_STATES
    words, chip_tone = states[work.state]
    chip = str(words)
    if clock is not None:
        present = tone(now, clock.due_at, clock.target_at)
        colour = present.value
        remaining = str(remaining_text(days.remaining(now, clock.due_at)))
        if present is Tone.OVERDUE:
            chip, chip_tone = _("Overdue"), "danger"
        elif request and 0 < work.delivered + work.unavailable < work.expected:
            chip, chip_tone = _("Partly delivered"), "info"
    return Row(
        url=path_of(subject_type, work.id),
        number=work.number,
        kind=kind_of(work),
        subject=subject_of(work),
        cases="—" if work.cases is None else str(work.cases),
        issued_at=work.issued_at,
        due_at=clock.due_at if clock else work.due_at,
        remaining=remaining,
        tone=colour,
        chip=chip,
        chip_tone=chip_tone,
        progress=f"{work.delivered}/{work.expected}" if request else "",
        action=_("Handle") if clock is not None and may.get(subject_type) else _("View"),
        vendor=vendors.get(work.tenant_id, ""),
    )


# --- scores --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """A dimension of the last score: points of its weight."""

    title: str
    points: str
    weight: str
    percent: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """The last score with its change, its dimensions and the trend. One object for the same
    figures, so that what a page draws of it can be kept."""

    url: str
    period: str
    total: Decimal | None
    grade: str
    tone: str
    factor: Decimal
    change: Decimal | None
    bars: list[Bar]
    chart: Markup | None
    table: list[list[str]]


@lru_cache(maxsize=64)
def _scheme(content: str) -> Scheme:
    return parse_scheme(json.loads(content))


@lru_cache(maxsize=512)
def _chart(points: tuple[TrendPoint, ...], content: str, locale: str) -> Markup:
    """The picture of a trend; the same figures in the same language make the same picture."""
    short = [TrendPoint(_month(point.period, locale), point.total, point.grade) for point in points]
    return trend_chart(short, _scheme(content))


def _month(period: str, locale: str) -> str:
    number = int(period[5:])
    return f"{number}月" if locale.startswith("zh") else calendar.month_abbr[number]


@lru_cache(maxsize=512)
def standing(months: tuple[Month, ...], locale: str) -> Standing | None:
    """What the page says of a vendor's scores; None before the first is issued."""
    if not months:
        return None
    last = months[0]
    before = months[1].total if len(months) > 1 else None
    scheme = _scheme(last.scheme or "{}")
    grades = [grade.grade for grade in sorted(scheme.grades, key=lambda g: g.start, reverse=True)]
    place = grades.index(last.grade) if last.grade in grades else len(GRADE_TONES) - 1
    chinese = locale.startswith("zh")
    points = tuple(
        TrendPoint(month.period, month.total, month.grade or "")
        for month in reversed(months)
        if month.total is not None
    )
    return Standing(
        url=f"/scores/{last.id}",
        period=last.period,
        total=last.total,
        grade=last.grade or "—",
        tone=GRADE_TONES[min(place, len(GRADE_TONES) - 1)],
        factor=last.factor.quantize(Decimal("0.01")),
        change=last.total - before if last.total is not None and before is not None else None,
        bars=[_bar(part, chinese=chinese) for part in json.loads(last.dimensions or "[]")],
        chart=_chart(points, last.scheme or "{}", locale) if len(points) > 1 else None,
        table=trend_rows(points),
    )


def _bar(part: Mapping[str, Any], *, chinese: bool) -> Bar:
    title = part["title"] if chinese else part["title_en"]
    weight = Decimal(part["weight"])
    if part["points"] is None or not weight:
        return Bar(title, "—", str(weight), None)
    points = Decimal(part["points"])
    return Bar(title, str(points), str(weight), int(points * 100 / weight))
