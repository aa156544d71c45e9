"""Messages that rules can raise without knowing Flask.

A `Phrase` is an English message id with its parameters. It becomes text when it is shown: the
application installs its translator once (`install(flask_babel.gettext)`), commands and tests read
the English. Message ids are extracted by the keyword `phrase`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


def _english(msgid: str) -> str:
    return msgid


_translate: Callable[[str], str] = _english


def install(translate: Callable[[str], str]) -> None:
    """Make `translate` (message id to text in the reader's language) this process's translator."""
    global _translate  # noqa: PLW0603 - one translator a process; the language is the request's
    _translate = translate


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
