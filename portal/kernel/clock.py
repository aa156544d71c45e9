"""The one clock. Code asks `now()`; tests and the demo's history set it.

Times are aware UTC inside and Beijing time (北京时间) for people.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")

_frozen: ContextVar[datetime | None] = ContextVar("frozen_clock", default=None)
_offset = timedelta(0)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    frozen = _frozen.get()
    return frozen if frozen is not None else datetime.now(UTC) + _offset


def beijing(moment: datetime) -> datetime:
    """The same moment on a Beijing clock."""
    return moment.astimezone(BEIJING)


def today() -> date:
    """Today's date in Beijing."""
    return beijing(now()).date()


def at_beijing(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """A Beijing wall-clock time as aware UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=BEIJING).astimezone(UTC)


@contextmanager
def frozen(moment: datetime) -> Iterator[datetime]:
    """Hold the clock at `moment` in this context (tests, and history being played in)."""
    if moment.tzinfo is None:
        raise ValueError("the clock takes aware times only")
    token = _frozen.set(moment.astimezone(UTC))
    try:
        yield moment
    finally:
        _frozen.reset(token)


def shift(offset: timedelta) -> None:
    """Move this process's clock by `offset` (rehearsals; the whole process, every thread)."""
    global _offset  # noqa: PLW0603 - one clock a process is the point
    _offset = offset
