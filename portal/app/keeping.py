"""`{% keep a, b %} … {% endkeep %}`: a part of a template that is drawn once for its values.

A list's filters and headings are the same on every page of it, and drawing them costs more than the
fifty rows between them. The part between the tags is kept by the values named behind `keep`, by the
language, and always by whose page it is: tenant and roles. A value that was forgotten can therefore
show somebody an older page of the own house, never another house's.

What belongs to one person or one answer (a form's token, the content policy's nonce) must not stand
in such a part; if it does, drawing it raises `KeptTooMuch`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from flask import Flask, g
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup

from portal.app.folding import variant

MOST_LETTERS = 2_000_000
"""Of all kept parts together (up to 4 MB in Chinese); then they are drawn anew."""


class KeptTooMuch(RuntimeError):
    """A part that is kept holds what belongs to one person or to one answer."""


class Parts:
    """The kept parts of an application."""

    def __init__(self) -> None:
        """Nothing is drawn yet."""
        self.held: dict[Hashable, Markup] = {}
        self.letters = 0

    def part(self, place: str, values: Sequence[object], draw: Callable[[], str]) -> Markup:
        """The part at `place` for `values`, drawn by `draw` when it is not held."""
        signed = g.get("signed")
        if signed is None:
            return Markup(draw())  # noqa: S704 - a template's own output
        actor = signed.actor
        key = (place, variant(), actor.tenant_id, actor.roles, *map(_fixed, values))
        found = self.held.get(key)
        if found is None:
            found = Markup(draw())  # noqa: S704 - a template's own output
            _refuse_personal(place, found)
            if self.letters + len(found) > MOST_LETTERS:
                self.held.clear()
                self.letters = 0
            self.held[key] = found
            self.letters += len(found)
        return found


_UNCHANGING = frozenset((str, bool, int, tuple))


def _fixed(value: object) -> Hashable:
    """The value, or what it holds where it can be changed."""
    if value is None or type(value) in _UNCHANGING:
        return value
    if isinstance(value, Mapping):
        return tuple((key, _fixed(one)) for key, one in value.items())
    if isinstance(value, list):
        return tuple(map(_fixed, value))
    return value  # what is not hashable says so when it is used


def _refuse_personal(place: str, text: str) -> None:
    for name in ("portal_csrf_token", "csp_nonce"):
        if g.get(name) and g.get(name) in text:
            raise KeptTooMuch(f"{place} keeps {name}")
    if "csrf_token" in text or "nonce=" in text:
        raise KeptTooMuch(f"{place} keeps a token")


class Keep(Extension):
    """The tag."""

    tags = {"keep"}  # noqa: RUF012 - as Jinja declares it

    def parse(self, parser: Parser) -> nodes.Node:
        """Names of values up to the tag's end, then the part."""
        line = next(parser.stream).lineno
        values = [parser.parse_expression()]
        while parser.stream.skip_if("comma"):
            values.append(parser.parse_expression())
        body = parser.parse_statements(("name:endkeep",), drop_needle=True)
        call = self.call_method(
            "drawn", [nodes.Const(f"{parser.name}:{line}"), nodes.List(values)], lineno=line
        )
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def drawn(self, place: str, values: list[Any], caller: Callable[[], str]) -> Markup:
        """What the tag stands for when the page is made."""
        parts: Parts = self.environment.globals["kept_parts"]  # type: ignore[assignment]
        return parts.part(place, values, caller)


def install(app: Flask) -> None:
    """Give templates the tag."""
    app.jinja_env.globals["kept_parts"] = app.extensions["kept_parts"] = Parts()
    app.jinja_env.add_extension(Keep)
