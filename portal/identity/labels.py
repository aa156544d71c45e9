"""The names of roles, as people say them (rules.md, "Who uses it")."""

from __future__ import annotations

from portal.identity.rules import Standing
from portal.kernel.access import Role
from portal.kernel.phrases import Phrase, phrase

ROLE_NAMES: dict[Role, Phrase] = {
    Role.ADMINISTRATOR: phrase("Administrator"),
    Role.AUDITOR: phrase("Auditor"),
    Role.AUDIT_HEAD: phrase("Audit head"),
    Role.VENDOR_MANAGER: phrase("Vendor manager (company)"),
    Role.FINANCE: phrase("Finance"),
    Role.COMPLAINTS: phrase("Complaints officer"),
    Role.GENERAL_DEPARTMENT: phrase("General department"),
    Role.GENERAL_MANAGER: phrase("General manager's office"),
    Role.MANAGER: phrase("Manager"),
    Role.SUPERVISOR: phrase("Supervisor"),
    Role.TEAM_LEADER: phrase("Team leader"),
    Role.AGENT: phrase("Collection agent"),
    Role.OFFICE: phrase("Office staff"),
}

STANDING_NAMES: dict[Standing, tuple[Phrase, str]] = {
    Standing.ACTIVE: (phrase("Can sign in"), "success"),
    Standing.INVITED: (phrase("Invited"), "pending"),
    Standing.DISABLED: (phrase("Disabled"), "neutral"),
}
"""What an account's standing is called, and the tone of its chip."""
