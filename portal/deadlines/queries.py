"""Reads of clocks: what a page shows of one (UX 1: the time, what remains, and why)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar.rules import DayKind, Remaining, WorkingCalendar
from portal.deadlines.models import Deadline, Extension
from portal.deadlines.rules import DeadlineState, tone
from portal.kernel.phrases import Phrase, When, phrase, plural


@dataclass(frozen=True, slots=True)
class ClockView:
    """A clock as `components/status.html` shows it: `deadline(d)`, `due(d)`, `work(…, d)`."""

    id: UUID
    kind: str
    subject_type: str
    subject_id: UUID
    tenant_id: UUID
    label: str
    opened_at: datetime
    due_at: datetime
    remaining: Phrase
    tone: str
    why: tuple[Phrase, ...]
    bar: int | None
    state: str


_LEFT = {
    (False, True): phrase("%(hours)s h %(minutes)s min"),
    (False, False): phrase("%(minutes)s min"),
    (True, True): plural(
        "%(days)s working day %(hours)s h", "%(days)s working days %(hours)s h", by="days"
    ),
    (True, False): plural("%(days)s working day", "%(days)s working days", by="days"),
}
_LATE = {
    (False, True): phrase("late by %(hours)s h %(minutes)s min"),
    (False, False): phrase("late by %(minutes)s min"),
    (True, True): plural(
        "late by %(days)s working day %(hours)s h",
        "late by %(days)s working days %(hours)s h",
        by="days",
    ),
    (True, False): plural(
        "late by %(days)s working day", "late by %(days)s working days", by="days"
    ),
}
"""What remains and what is over: by whether there are working days, and hours."""


def remaining_text(left: Remaining) -> Phrase:
    """ "1 working day 7 h", "3 h 50 min", "late by 16 min": by the server's clock."""
    words = _LATE if left.overdue else _LEFT
    return words[left.working_days > 0, left.hours > 0].filled(
        {"days": left.working_days, "hours": left.hours, "minutes": left.minutes}
    )


def why_lines(basis: dict[str, Any]) -> tuple[Phrase, ...]:
    """Why a deadline is when it is: the day of issue, the days skipped, the make-up days."""
    days = basis.get("days") or []
    if not days:
        return (phrase("The hours run day and night, on holidays too."),)
    lines = [phrase("%(day)s, the day of issue, is not counted", day=_day(days[0]))]
    lines += [_why_line(entry) for entry in days[1:]]
    lines.append(phrase("The last day ends at the close of business."))
    lines += [_extended_line(entry) for entry in basis.get("extended", ())]
    return tuple(lines)


def _extended_line(entry: dict[str, Any]) -> Phrase:
    return phrase(
        "Extended from %(earlier)s by %(who)s: %(reason)s",
        earlier=When(datetime.fromisoformat(entry["from"])),
        who=entry["by"],
        reason=entry["reason"],
    )


def _why_line(entry: dict[str, Any]) -> Phrase:
    kind, day = DayKind(entry["kind"]), _day(entry)
    if kind is DayKind.WEEKEND:
        return phrase("%(day)s does not count: weekend", day=day)
    if kind is DayKind.HOLIDAY:
        return phrase("%(day)s does not count: %(name)s", day=day, name=entry["name"])
    number = entry["counted"]
    if kind is DayKind.MAKE_UP:
        return phrase("%(day)s is working day %(number)s (make-up day)", day=day, number=number)
    return phrase("%(day)s is working day %(number)s", day=day, number=number)


def _day(entry: dict[str, Any]) -> When:
    return When(date.fromisoformat(entry["day"]))


def clock_view(row: Deadline, calendar: WorkingCalendar, now: datetime) -> ClockView:
    """The read model of a clock at `now`."""
    state = DeadlineState(row.state)
    if state is DeadlineState.MET:
        text, colour, bar = phrase("done in time"), "met", None
    elif state is DeadlineState.VOID:
        text, colour, bar = phrase("no longer due"), "void", None
    elif row.met_at is not None:
        text, colour, bar = phrase("done late"), "late", None
    else:
        text = remaining_text(calendar.remaining(now, row.due_at))
        colour = tone(now, row.due_at, row.target_at).value
        span = (row.due_at - row.opened_at).total_seconds() or 1.0
        bar = max(0, min(100, int((now - row.opened_at).total_seconds() * 100 / span)))
    return ClockView(
        row.id,
        row.kind,
        row.subject_type,
        row.subject_id,
        row.tenant_id,
        row.label,
        row.opened_at,
        row.due_at,
        text,
        colour,
        why_lines(row.basis),
        bar,
        row.state,
    )


def open_clocks(
    session: Session,
    *,
    owed_by: str,
    limit: int = 50,
    tenant_id: UUID | None = None,
    kind: str | None = None,
) -> list[Deadline]:
    """The clocks still running or overdue and unmet, the most pressing first."""
    statement = sa.select(Deadline).where(
        Deadline.owed_by == owed_by,
        Deadline.state.in_((DeadlineState.OPEN, DeadlineState.BREACHED)),
        Deadline.met_at.is_(None),
    )
    if tenant_id:
        statement = statement.where(Deadline.tenant_id == tenant_id)
    if kind:
        statement = statement.where(Deadline.kind == kind)
    return list(session.scalars(statement.order_by(Deadline.due_at, Deadline.id).limit(limit)))


def _unmet() -> sa.ColumnElement[bool]:
    return sa.and_(
        Deadline.state.in_((DeadlineState.OPEN, DeadlineState.BREACHED)), Deadline.met_at.is_(None)
    )


def rounds_of(session: Session, tenant_id: UUID, subject_id: UUID, kind: str) -> list[Deadline]:
    """All clocks of a subject and kind by round, the first first."""
    return list(
        session.scalars(
            sa.select(Deadline)
            .where(
                Deadline.tenant_id == tenant_id,
                Deadline.subject_id == subject_id,
                Deadline.kind == kind,
            )
            .order_by(Deadline.round)
        )
    )


def extensions_of(session: Session, tenant_id: UUID, subject_id: UUID) -> list[Extension]:
    """All extensions that were asked for on a subject's clocks, the newest first."""
    return list(
        session.scalars(
            sa.select(Extension)
            .join(
                Deadline,
                sa.and_(
                    Deadline.tenant_id == Extension.tenant_id,
                    Deadline.id == Extension.deadline_id,
                ),
            )
            .where(Deadline.tenant_id == tenant_id, Deadline.subject_id == subject_id)
            .order_by(Extension.asked_at.desc())
        )
    )


def clock_of(session: Session, tenant_id: UUID, subject_id: UUID, kind: str) -> Deadline | None:
    """The clock of a subject and kind that presses most: of several rounds the nearest that is
    not met; when all are met, the newest. None when there is none."""
    return session.scalars(
        sa.select(Deadline)
        .where(
            Deadline.tenant_id == tenant_id,
            Deadline.subject_id == subject_id,
            Deadline.kind == kind,
        )
        .order_by(
            _unmet().desc(),
            sa.case((_unmet(), Deadline.due_at)),
            Deadline.round.desc(),
        )
        .limit(1)
    ).first()


def clocks_of(session: Session, subject_ids: list[UUID], kind: str) -> dict[UUID, Deadline]:
    """The clock of each subject that presses most (`clock_of`), for a list page."""
    rows = session.scalars(
        sa.select(Deadline)
        .where(Deadline.subject_id.in_(subject_ids), Deadline.kind == kind)
        .order_by(_unmet(), sa.case((_unmet(), Deadline.due_at)).desc(), Deadline.round)
    )
    return {row.subject_id: row for row in rows}
