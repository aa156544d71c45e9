"""What may be done with material requests."""

from __future__ import annotations

from portal.kernel.access import Role, permission

_COMPANY_READERS = (
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
)
_DELIVERERS = (Role.MANAGER, Role.SUPERVISOR, Role.TEAM_LEADER, Role.OFFICE)

VIEW = permission(
    "materials:request:view",
    "See material requests and what was delivered on them",
    *_COMPANY_READERS,
    *_DELIVERERS,
)
ISSUE = permission(
    "materials:request:issue",
    "Call up materials of named cases outside a draw (A10)",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
)
CHANGE = permission(
    "materials:request:change",
    "Grant or refuse extensions, cancel requests and items, replace cases",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
)
DECIDE = permission(
    "materials:item:decide",
    "Accept or return what a vendor delivered or answered",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
)
DELIVER = permission(
    "materials:item:deliver",
    "Deliver files, and answer what cannot be provided",
    *_DELIVERERS,
)
ASK = permission(
    "materials:request:ask",
    "Ask for an extension of a request's deadline",
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.OFFICE,
)
HAND_IN = permission(
    "materials:request:hand-in",
    "Hand in a delivery for the vendor",
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.OFFICE,
)
