"""What people may do with cases."""

from __future__ import annotations

from portal.kernel.access import COMPANY_ROLES, VENDOR_ROLES, Role, permission

VIEW = permission(
    "cases:case:view", "See cases, personal data masked", *COMPANY_ROLES, *VENDOR_ROLES
)
EXPORT = permission(
    "cases:list:export",
    "Export the list of cases, personal data masked",
    Role.ADMINISTRATOR,
    Role.VENDOR_MANAGER,
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.FINANCE,
    Role.COMPLAINTS,
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.OFFICE,
)
REVEAL = permission(
    "cases:personal:reveal",
    "Uncover the personal data of a case; each time is recorded",
    Role.ADMINISTRATOR,
    Role.VENDOR_MANAGER,
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.COMPLAINTS,
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.TEAM_LEADER,
)
IMPORT = permission(
    "cases:import:make",
    "Import entrusted cases from a workbook",
    Role.ADMINISTRATOR,
    Role.VENDOR_MANAGER,
)
CHANGE_STATUS = permission(
    "cases:status:change",
    "Suspend, resume, withdraw, take back, keep or settle a case",
    Role.ADMINISTRATOR,
    Role.VENDOR_MANAGER,
    Role.COMPLAINTS,
)
