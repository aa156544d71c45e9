"""Who may read issued papers."""

from portal.kernel.access import Role, permission

VIEW = permission(
    "notices:document:view",
    "Read issued papers and their PDFs",
    Role.ADMINISTRATOR,
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
    Role.FINANCE,
    Role.COMPLAINTS,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.TEAM_LEADER,
    Role.OFFICE,
)
