"""Who may see and who may confirm the working-day calendar."""

from portal.kernel.access import Role, permission

EDIT = permission(
    "calendar:year:edit",
    "Change days of the working-day calendar and confirm years",
    Role.ADMINISTRATOR,
    Role.VENDOR_MANAGER,
    Role.AUDIT_HEAD,
)
