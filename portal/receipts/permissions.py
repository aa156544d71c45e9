"""Who may see and import receipts."""

from __future__ import annotations

from portal.kernel.access import Role, permission

VIEW = permission(
    "receipts:receipt:view",
    "See receipts of every vendor and export them",
    Role.FINANCE,
    Role.VENDOR_MANAGER,
    Role.GENERAL_MANAGER,
)
IMPORT = permission(
    "receipts:import:make", "Import and confirm the month's receipts (C3.4)", Role.FINANCE
)
