"""The frame of a signed-in page: drawn once for each menu, language and theme, then filled.

Head, side bar and top bar are the same for all people of the same roles, but for a dozen values:
whose page it is, the token of forms, the content policy's nonce, the time, the bell. So the
template is drawn with *holes* in their place and kept; a page only fills them. Nothing of a person
can stay in what is kept: the template is given holes and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask, current_app, g, request
from markupsafe import Markup

from portal.app.filters import dt
from portal.app.folding import shown
from portal.app.menu import active_entry, build
from portal.app.security import nonce
from portal.app.texts import csrf_token, url_for
from portal.identity.labels import ROLE_NAMES
from portal.identity.service import Signed
from portal.identity.web import LOCALES, reader_theme
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.texts import code
from portal.kernel.texts import gettext as _
from portal.notifications.service import count_of, unread

Drawn = list[str]
"""Text and names of holes in turn, a text first."""

HOLES = (
    "title",
    "csrf_token",
    "nonce",
    "account_id",
    "organisation",
    "now",
    "unread",
    "here",
    "name",
    "role",
)
_MOST_DRAWN = 600
_MARK = "\x00"
_BELL = Markup('<span class="count">{}<span class="visually-hidden"> {}</span></span>')


class Frames:
    """The drawn frames of an application."""

    def __init__(self) -> None:
        """Nothing is drawn yet."""
        self.kept: dict[tuple[object, ...], Drawn] = {}

    def of_page(self, title: str) -> Markup:
        """Everything before the page's own content, for templates: `page_frame(title)`."""
        drawn = self.drawn(active_entry(), reader_theme())
        values = _values(title)
        parts = [shown(values[part]) if number % 2 else part for number, part in enumerate(drawn)]
        return Markup("".join(parts))  # noqa: S704 - a template's own output, each value escaped

    def drawn(self, active: str, theme: str) -> Drawn:
        """The frame with the menu's entry `active` marked, in `theme`."""
        person: Actor = g.actor
        key = (request.script_root, code(), theme, person.is_company, person.roles, active)
        found = self.kept.get(key)
        if found is None:
            if len(self.kept) >= _MOST_DRAWN:
                self.kept.clear()
            found = self.kept[key] = _draw(active, theme)
        return found


def _draw(active: str, theme: str) -> Drawn:
    holes = {name: Markup(f"{_MARK}{name}{_MARK}") for name in HOLES}  # noqa: S704 - fixed names
    html = current_app.jinja_env.get_template("layouts/_frame.html").render(
        **holes | {"csrf_token": lambda: holes["csrf_token"], "csp_nonce": lambda: holes["nonce"]},
        menu=build(active),
        brand=_("Outsourced Collection Supervision"),
        locales=LOCALES,
        locale=code(),
        theme=theme,
        search_url=url_for("cases.index"),
        bell_url=url_for("messages.inbox"),
    )
    return re.split(f"{_MARK}([a-z_]+){_MARK}", html)


def _values(title: str) -> Mapping[str, Any]:
    signed: Signed = g.signed
    return {
        "title": title,
        "csrf_token": csrf_token(),
        "nonce": nonce(),
        "account_id": signed.actor.account_id,
        "organisation": signed.organisation,
        "now": dt(clock.now().replace(second=0, microsecond=0), "zone"),
        "unread": _bell(),
        "here": request.full_path if request.query_string else request.path,
        "name": signed.actor.name,
        "role": "、".join(str(ROLE_NAMES[role]) for role in sorted(signed.actor.roles))
        or signed.email,
    }


def _bell() -> Markup:
    """The number of unread messages, where there are any."""
    if g.get("session") is None:
        return Markup()
    count = count_of(g.get("unread") or unread(g.session, g.actor))
    return _BELL.format(count if count < 100 else "99+", _("unread")) if count else Markup()


def _ask_for_the_bell() -> None:
    """Ask with the page's first read; what is no page, such as a range of a recording, does not."""
    if request.method == "GET" and g.get("session") is not None:
        accepts = request.headers.get("Accept")
        if accepts is None or "text/html" in accepts:
            g.unread = unread(g.session, g.actor)


def install(app: Flask) -> None:
    """Give templates `page_frame(title)`."""
    frames = app.extensions["frames"] = Frames()
    app.before_request(_ask_for_the_bell)
    app.jinja_env.globals["page_frame"] = frames.of_page
