"""Messages that rules can raise without knowing Flask.

A `Phrase` is an English message id with its parameters. It becomes text when it is shown: the
application installs its translator once (`install(flask_babel.gettext)`), commands and tests read
the English. Message ids are extracted by the keyword `phrase`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from portal.kernel import clock


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
        text = _translate(self.msgid)
        return text % self.params if self.params else text


def phrase(msgid: str, **params: object) -> Phrase:
    """A message for people: `phrase("%(count)s cases are missing", count=3)`."""
    return Phrase(msgid, params)
