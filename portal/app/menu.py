"""The side bar: what the signed-in person may open, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request
from flask_babel import lazy_gettext as _l

from portal.app.texts import url_for
from portal.identity.web import LOCALES, reader_theme
from portal.kernel.access import Permission
from portal.kernel.texts import code
from portal.kernel.texts import gettext as _


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
    Entry("settings", _l("People and roles"), "people.index", "users", True),
    Entry("settings", _l("Audit department"), "audit_department.index", "id", True),
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


def active_entry() -> str:
    """The endpoint of the entry under which the present page stands; "" for none."""
    here = request.endpoint or ""
    active = getattr(current_app.view_functions.get(here), "menu", "") or here
    return active if active in _ENDPOINTS else ""


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


def install(app: Flask) -> None:
    """Give every template what layouts need."""
    app.jinja_env.globals.update(may_visit=may_visit)

    @app.context_processor
    def layout() -> dict[str, Any]:
        return {
            "brand": _("Outsourced Collection Supervision"),
            "signed": g.get("signed"),
            "locales": LOCALES,
            "locale": code(),
            "theme": reader_theme(),
        }
