"""The side bar: what the signed-in person may open, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.identity.labels import ROLE_NAMES
from portal.identity.web import LOCALES
from portal.kernel import clock
from portal.kernel.access import Permission
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
    Entry("work", _l("Assessment forms"), "assessments.index", "clipboard-check"),
    Entry("work", _l("Reported violations"), "reviews.escalations", "flag", True),
    Entry("work", _l("Rectification"), "rectification.index", "alert-triangle"),
    Entry("work", _l("Excellent cases"), "excellence.index", "star"),
    Entry("results", _l("Scores"), "scoring.index", "chart-line"),
    Entry("results", _l("Receipts"), "receipts.index", "cash", True),
    Entry("results", _l("Fee statements"), "fees.index", "receipt"),
    Entry("results", _l("Papers"), "notices.index", "file-text"),
    Entry("settings", _l("Vendors"), "vendors.index", "building", True),
    Entry("settings", _l("Our people"), "vendors.mine", "users", False),
    Entry("settings", _l("Rules and schemes"), "schemes.index", "adjustments"),
    Entry("settings", _l("Working days"), "calendar.index", "calendar"),
    Entry("settings", _l("Journal"), "journal.index", "history", True),
)


def _visible(entry: Entry) -> bool:
    view = current_app.view_functions.get(entry.endpoint)
    access = getattr(view, "access", None)
    if view is None or (entry.company is not None and entry.company != g.actor.is_company):
        return False
    return not isinstance(access, Permission) or g.actor.may(access)


def build() -> list[dict[str, Any]]:
    """The groups with their links, the present one marked."""
    here = request.endpoint or ""
    groups: list[dict[str, Any]] = []
    for key, title in GROUPS.items():
        items = [
            {
                "label": entry.label,
                "url": url_for(entry.endpoint),
                "icon": entry.icon,
                "badge": g.get("badges", {}).get(entry.endpoint, 0),
                "active": _is_active(entry.endpoint, here),
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


def _is_active(endpoint: str, here: str) -> bool:
    if endpoint == here:
        return True
    view = current_app.view_functions.get(here)
    return getattr(view, "menu", "") == endpoint


def install(app: Flask) -> None:
    """Give every template what the layout needs."""

    @app.context_processor
    def layout() -> dict[str, Any]:
        signed = g.get("signed")
        return {
            "brand": _("Outsourced Collection Supervision"),
            "menu": build() if signed and g.get("session") is not None else [],
            "signed": signed,
            "locales": LOCALES,
            "locale": str(get_locale()),
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
