"""Messages that rules can raise without knowing Flask.

A `Phrase` is an English message id with its parameters. It becomes text when it is shown: the
application installs its translator once (`install(flask_babel.gettext)`), commands and tests read
the English. Message ids are extracted by the keyword `phrase`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from babel.support import NullTranslations, Translations

from portal.kernel import clock

_CATALOGUES = Path(__file__).resolve().parents[1] / "translations"
_written: ContextVar[str | None] = ContextVar("written", default=None)


def _english(msgid: str) -> str:
    return msgid


def _plain(value: date) -> str:
    if isinstance(value, datetime):
        return f"{clock.beijing(value):%Y-%m-%d %H:%M}"
    return value.isoformat()


_translate: Callable[[str], str] = _english
_show: Callable[[date], str] = _plain


def install(
    translate: Callable[[str], str], show: Callable[[date | datetime], str] = _plain
) -> None:
    """Make `translate` (message id to text in the reader's language) this process's translator,
    and `show` what writes a day or a moment in that language."""
    global _translate, _show
    _translate, _show = translate, show


@contextmanager
def written_in(locale: str) -> Iterator[None]:
    """In the block, phrases become text in this language, whoever reads: for what is kept as text
    for somebody else, such as a paper's content."""
    before = _written.set(locale)
    try:
        yield
    finally:
        _written.reset(before)


@lru_cache
def _catalogue(locale: str) -> NullTranslations:
    """The language's compiled messages; English where there is none."""
    return Translations.load(_CATALOGUES, [locale])


@dataclass(frozen=True)
class When:
    """A day, or a moment in Beijing, as a parameter: written as the reader writes it."""

    value: date | datetime

    def __str__(self) -> str:
        """In the language of whoever reads it."""
        return _show(self.value)


@dataclass(frozen=True)
class Phrase:
    """A message id and its parameters; `str()` gives it in the reader's language."""

    msgid: str
    params: dict[str, object] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        """The message in the language of whoever reads it, parameters filled in."""
        locale = _written.get()
        text = _translate(self.msgid) if locale is None else _catalogue(locale).gettext(self.msgid)
        return text % self.params if self.params else text


def phrase(msgid: str, **params: object) -> Phrase:
    """A message for people: `phrase("%(count)s cases are missing", count=3)`."""
    return Phrase(msgid, params)
