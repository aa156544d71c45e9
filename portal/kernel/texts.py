"""Translations from memory: `gettext` for pages that have milliseconds.

Flask-Babel looks up its context, the locale and the catalogue anew for each text, which for the
hundred texts of a page costs more than its queries. What a text is in a language never changes
while the process lives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

from flask import g
from flask_babel import get_locale, get_translations
from flask_babel import gettext as translate

from portal.kernel.phrases import is_one


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A language's code as Babel writes it (zh_Hans_CN), and the texts that were asked for."""

    code: str
    texts: dict[str, str] = field(default_factory=dict)
    counted: dict[tuple[str, str, bool], str] = field(default_factory=dict)


_LANGUAGES: dict[str, Language] = {}


_present: Callable[[], object] = g._get_current_object


def _held() -> SimpleNamespace | None:
    """What Flask-Babel holds for this request; None outside of one."""
    try:
        return _present().__dict__.get("_flask_babel")
    except RuntimeError:
        return None


def language() -> Language | None:
    """The language of this moment; None where there is none, as in a command.

    Kept beside the locale that Flask-Babel holds for the request, and only as long as it is that
    very object: `force_locale` and `refresh` change it.
    """
    held = _held()
    if held is not None:
        kept = held.__dict__
        known = kept.get("portal_language")
        if known is not None and known[0] is kept["babel_locale"]:
            found: Language = known[1]
            return found
    locale = get_locale()
    if locale is None:
        return None
    found = _LANGUAGES.setdefault(str(locale), Language(str(locale)))
    held = _held()
    if held is not None:
        held.portal_language = (locale, found)
    return found


def code() -> str:
    """The code of the present language; "" where there is none."""
    found = language()
    return "" if found is None else found.code


def gettext(msgid: str, /, **values: object) -> str:
    """A literal message id in the reader's language, placeholders filled in."""
    present = language()
    if present is None:
        text = str(translate(msgid))
    else:
        known = present.texts.get(msgid)
        text = present.texts[msgid] = known if known is not None else str(translate(msgid))
    return text % values if values else text


def ngettext(one: str, many: str, number: object, /, **values: object) -> str:
    """Literal message ids for one thing and for many, the form for `number` in the reader's
    language, placeholders filled in: `ngettext("%(n)s file", "%(n)s files", n, n=n)`."""
    text = counted(one, many, single=is_one(number))
    return text % values if values else text


def counted(one: str, many: str, *, single: bool) -> str:
    """The form for one, or for many, in the reader's language. Of the portal's languages English
    has these two, and Chinese has one for all."""
    present = language()
    key = one, many, single
    text = None if present is None else present.counted.get(key)
    if text is None:
        text = str(get_translations().ngettext(one, many, 1 if single else 2))
        if present is not None:
            present.counted[key] = text
    return text
