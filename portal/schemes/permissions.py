"""Who may change the company's rules and schemes."""

from portal.kernel.access import Role, permission

EDIT = permission(
    "schemes:version:publish",
    "Publish a new version of the company's rules and schemes",
    Role.ADMINISTRATOR,
    Role.VENDOR_MANAGER,
    Role.AUDIT_HEAD,
)
