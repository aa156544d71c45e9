"""Who prepares, confirms and reads fee statements."""

from portal.kernel.access import Role, permission

VIEW = permission(
    "fees:statement:view",
    "See fee statements and every line's reason",
    Role.ADMINISTRATOR,
    Role.VENDOR_MANAGER,
    Role.FINANCE,
    Role.GENERAL_MANAGER,
    Role.MANAGER,
    Role.OFFICE,
)
PREPARE = permission(
    "fees:statement:prepare",
    "Prepare a month's fee statements",
    Role.VENDOR_MANAGER,
    Role.FINANCE,
)
CONFIRM = permission(
    "fees:statement:confirm",
    "Check a fee statement line by line and confirm it",
    Role.FINANCE,
)
