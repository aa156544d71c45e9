"""Who may read the journal."""

from portal.kernel.access import Role, permission

VIEW = permission(
    "journal:entry:view",
    "Read who did what to what, when",
    Role.ADMINISTRATOR,
    Role.AUDIT_HEAD,
    Role.GENERAL_MANAGER,
)
