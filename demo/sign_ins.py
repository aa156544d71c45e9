"""Who can sign in to the demo, as a table for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from demo.people import COMPANY_STAFF, PASSWORD, VENDORS, company_email, vendor_email
from portal.kernel.access import Role

ENGLISH = {
    Role.ADMINISTRATOR: "Administrator",
    Role.AUDITOR: "Auditor",
    Role.AUDIT_HEAD: "Audit head",
    Role.VENDOR_MANAGER: "Vendor manager",
    Role.FINANCE: "Finance",
    Role.COMPLAINTS: "Complaints officer",
    Role.GENERAL_DEPARTMENT: "General department",
    Role.GENERAL_MANAGER: "General manager's office",
    Role.MANAGER: "Vendor: manager",
    Role.SUPERVISOR: "Vendor: supervisor",
    Role.TEAM_LEADER: "Vendor: team leader",
    Role.AGENT: "Vendor: agent",
    Role.OFFICE: "Vendor: office staff",
}
CHINESE = {
    Role.MANAGER: "供应商经理",
    Role.SUPERVISOR: "供应商主管",
    Role.TEAM_LEADER: "供应商组长",
    Role.AGENT: "催收员",
    Role.OFFICE: "供应商内勤",
}


def rows() -> list[tuple[str, str, str]]:
    """Role in Chinese, role in English, e-mail address."""
    found = [
        (title, ENGLISH[roles[0]], company_email(login))
        for login, _name, title, roles in COMPANY_STAFF
    ]
    for plan in VENDORS:
        for login, _name, role, _group in plan.staff:
            if login and (plan is VENDORS[0] or role is Role.MANAGER):
                text = f"{CHINESE[role]}({plan.short})"
                found.append((text, f"{ENGLISH[role]} ({plan.code})", vendor_email(plan, login)))
    return found


def table() -> str:
    """The sign-ins with their one password, in columns."""
    lines = [("角色", "Role", "E-mail"), *rows()]
    widths = [max(_width(line[place]) for line in lines) + 2 for place in range(3)]
    body = "\n".join("  " + _line(line, widths) for line in lines)
    return f"{body}\n\n  密码 Password: {PASSWORD}"


def _line(cells: Iterable[str], widths: list[int]) -> str:
    return "".join(
        cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)
    ).rstrip()


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
