"""The side bar: what the signed-in person may open, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from portal.app.texts import url_for
from portal.identity.labels import ROLE_NAMES
from portal.identity.web import LOCALES
from portal.kernel import clock
from portal.kernel.access import Permission
from portal.kernel.texts import code
from portal.kernel.texts import gettext as _
from portal.notifications.service import unread


@dataclass(frozen=True, slots=True)
class Entry:
    """One link: its text, endpoint, icon, and group."""

    group: str
    label: Any
    endpoint: str
    icon: str
    company: bool | None = None
    """True: company people only; False: vendors' only; None: both."""


GROUPS = {
    "main": _l("Overview"),
    "work": _l("Cases and audit"),
    "results": _l("Results"),
    "settings": _l("Administration"),
}

ENTRIES: tuple[Entry, ...] = (
    Entry("main", _l("Home"), "dashboards.home", "home"),
    Entry("main", _l("Messages"), "messages.inbox", "bell"),
    Entry("work", _l("Cases"), "cases.index", "folder"),
    Entry("work", _l("Draws"), "draws.index", "arrows-shuffle", True),
    Entry("work", _l("Material requests"), "materials.index", "file-search"),
    Entry("work", _l("Review desk"), "reviews.index", "headphones", True),
    Entry("work", _l("Checks of facts"), "fact_checks.index", "list-check", False),
    Entry("work", _l("Assessment forms"), "assessments.index", "clipboard-check"),
    Entry("work", _l("Appeals"), "appeals.index", "scale"),
    Entry("work", _l("Reported violations"), "reviews.escalations", "flag", True),
    Entry("work", _l("Rectification"), "rectification.index", "alert-triangle"),
    Entry("work", _l("Excellent cases"), "excellence.index", "star"),
    Entry("results", _l("Scores"), "scoring.index", "chart-line"),
    Entry("results", _l("Receipts"), "receipts.index", "cash", True),
    Entry("results", _l("Fee statements"), "fees.index", "receipt"),
    Entry("results", _l("Papers"), "notices.index", "file-text"),
    Entry("settings", _l("Vendors"), "vendors.index", "building", True),
    Entry("settings", _l("Our people"), "vendors.mine", "users", False),
    Entry("settings", _l("Seals and papers"), "seals.index", "rubber-stamp", True),
    Entry("settings", _l("Rules and schemes"), "schemes.index", "adjustments"),
    Entry("settings", _l("Working days"), "calendar.index", "calendar"),
    Entry("settings", _l("Retention"), "retention.index", "lock", True),
    Entry("settings", _l("Mails"), "messages.mail_list", "mail", True),
    Entry("settings", _l("Journal"), "journal.index", "history", True),
)
_ENDPOINTS = frozenset(entry.endpoint for entry in ENTRIES)


def _visible(entry: Entry) -> bool:
    if entry.company is not None and entry.company != g.actor.is_company:
        return False
    return may_visit(entry.endpoint)


def may_visit(endpoint: str) -> bool:
    """Whether there is such a page, and the signed-in person has the permission for it. For a
    link to a higher slice, which the page's own view cannot know."""
    view = current_app.view_functions.get(endpoint)
    access = getattr(view, "access", None)
    return view is not None and (not isinstance(access, Permission) or g.actor.may(access))


_DRAWN: dict[tuple[object, ...], Markup] = {}
_MOST_DRAWN = 2_000


def menu() -> Markup:
    """The side bar of the signed-in person with the present entry marked.

    It is the same for all people of the same roles, so it is drawn once for each page's entry,
    language and set of roles.
    """
    if g.get("signed") is None:
        return Markup()
    here = request.endpoint or ""
    active = getattr(current_app.view_functions.get(here), "menu", "") or here
    key = (
        id(current_app._get_current_object()),  # type: ignore[attr-defined]
        request.script_root,
        code(),
        g.actor.is_company,
        g.actor.roles,
        active if active in _ENDPOINTS else "",
    )
    drawn = _DRAWN.get(key)
    if drawn is None:
        if len(_DRAWN) >= _MOST_DRAWN:
            _DRAWN.clear()
        template = current_app.jinja_env.get_template("layouts/_menu.html")
        html = template.render(menu=build(active))
        drawn = _DRAWN[key] = Markup(html)  # noqa: S704 - a template's own output
    return drawn


def build(active: str) -> list[dict[str, Any]]:
    """The groups with their links, the entry of the endpoint `active` marked."""
    groups: list[dict[str, Any]] = []
    for key, title in GROUPS.items():
        items = [
            {
                "label": entry.label,
                "url": url_for(entry.endpoint),
                "icon": entry.icon,
                "active": entry.endpoint == active,
            }
            for entry in ENTRIES
            if entry.group == key and _visible(entry)
        ]
        if items:
            groups.append({"title": title, "items": items})
    return groups


def _bell() -> dict[str, Any] | None:
    """The bell with the number of unread messages."""
    if "messages.inbox" not in current_app.view_functions:
        return None
    return {"url": url_for("messages.inbox"), "count": unread(g.session, g.actor)}


def install(app: Flask) -> None:
    """Give every template what the layout needs."""
    app.jinja_env.globals.update(side_menu=menu, may_visit=may_visit)

    @app.context_processor
    def layout() -> dict[str, Any]:
        signed = g.get("signed")
        return {
            "brand": _("Outsourced Collection Supervision"),
            "signed": signed,
            "locales": LOCALES,
            "locale": code(),
            "theme": request.cookies.get("theme", "auto"),
            "now": clock.now(),
            "role": "、".join(str(ROLE_NAMES[role]) for role in sorted(signed.actor.roles))
            if signed
            else "",
            "bell": _bell() if signed and g.get("session") is not None else None,
            "search_url": url_for("cases.index")
            if "cases.index" in current_app.view_functions
            else None,
        }
