"""What may be done with rectification notices (C2.4)."""

from __future__ import annotations

from portal.kernel.access import Role, permission

ANSWERERS = (Role.MANAGER, Role.SUPERVISOR, Role.TEAM_LEADER)
READERS = (*ANSWERERS, Role.OFFICE)

VIEW = permission(
    "rectification:notice:view",
    "See rectification notices and the answers to them (a vendor: those issued to it)",
    Role.VENDOR_MANAGER,
    Role.AUDIT_HEAD,
    Role.AUDITOR,
    Role.FINANCE,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
    *READERS,
)
MANAGE = permission(
    "rectification:notice:manage",
    "Write, issue and cancel rectification notices, and decide on the answers",
    Role.VENDOR_MANAGER,
)
GIVE_OPINION = permission(
    "rectification:opinion:give",
    "Give a rectification opinion, of which a vendor manager may make a notice",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
)
SEE_OPINIONS = permission(
    "rectification:opinion:see",
    "See the rectification opinions of the audit department",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
)
ANSWER = permission(
    "rectification:notice:answer",
    "Answer a rectification notice for the vendor",
    *ANSWERERS,
)
