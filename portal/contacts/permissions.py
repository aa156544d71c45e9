"""What may be done with contact records."""

from __future__ import annotations

from portal.kernel.access import Role, permission

IMPORT = permission(
    "contacts:calls:import",
    "Import the dialler's list of calls",
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.TEAM_LEADER,
    Role.OFFICE,
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
)
