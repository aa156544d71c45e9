"""Messages that rules can raise without knowing Flask.

A `Phrase` is an English message id with its parameters. It becomes text when it is shown: the
application installs its translators once (`install(gettext, counted)`), commands and tests read
the English. Message ids are extracted by the keywords `phrase` and `plural`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from babel.support import NullTranslations, Translations

from portal.kernel import clock

_CATALOGUES = Path(__file__).resolve().parents[1] / "translations"
_written: ContextVar[str | None] = ContextVar("written", default=None)


class Counted(Protocol):
    """Gives the form for one thing, or for many, in the reader's language."""

    def __call__(self, one: str, many: str, *, single: bool) -> str:
        """The form that fits."""


def is_one(number: object) -> bool:
    """Whether a number is written as 1, which takes the form for one thing; 1.0 does not."""
    return str(number) == "1"


def _english(msgid: str) -> str:
    return msgid


def _english_counted(one: str, many: str, *, single: bool) -> str:
    return one if single else many


def _plain(value: date) -> str:
    if isinstance(value, datetime):
        return f"{clock.beijing(value):%Y-%m-%d %H:%M}"
    return value.isoformat()


_translate: Callable[[str], str] = _english
_counted: Counted = _english_counted
_show: Callable[[date], str] = _plain


def install(
    translate: Callable[[str], str],
    show: Callable[[date | datetime], str] = _plain,
    counted: Counted = _english_counted,
) -> None:
    """Make `translate` (message id to text in the reader's language) this process's translator,
    `show` what writes a day or a moment in that language, and `counted` what chooses the form
    for one or for many."""
    global _translate, _show, _counted
    _translate, _show, _counted = translate, show, counted


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
    """A message id and its parameters; `str()` gives it in the reader's language.

    One that counts things has the words for a single one in `one`, and in `by` the parameter that
    counts.
    """

    msgid: str
    params: dict[str, object] = field(default_factory=dict, hash=False)
    one: str = ""
    by: str = ""

    def __str__(self) -> str:
        """The message in the language of whoever reads it, parameters filled in."""
        locale = _written.get()
        if self.one:
            text = self._counted(locale)
        elif locale is None:
            text = _translate(self.msgid)
        else:
            text = _catalogue(locale).gettext(self.msgid)
        return text % self.params if self.params else text

    def _counted(self, locale: str | None) -> str:
        single = is_one(self.params.get(self.by))
        if locale is None:
            return _counted(self.one, self.msgid, single=single)
        return _catalogue(locale).ngettext(self.one, self.msgid, 1 if single else 2)

    def filled(self, params: Mapping[str, object]) -> Phrase:
        """The same message with these parameters, for messages that are kept in a table."""
        return replace(self, params=dict(params))


def phrase(msgid: str, **params: object) -> Phrase:
    """A message for people: `phrase("%(count)s cases are missing", count=3)`."""
    return Phrase(msgid, params)


def plural(one: str, many: str, /, *, by: str, **params: object) -> Phrase:
    """A message that counts, by the parameter that `by` names:
    `plural("%(n)s case is missing", "%(n)s cases are missing", by="n", n=3)`."""
    return Phrase(many, params, one, by)
