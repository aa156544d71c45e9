"""Who computes, issues and reads scores."""

from portal.kernel.access import Role, permission

VIEW = permission(
    "scoring:score:view",
    "See scores and why every point was lost",
    Role.ADMINISTRATOR,
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.VENDOR_MANAGER,
    Role.FINANCE,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
    Role.MANAGER,
    Role.SUPERVISOR,
    Role.TEAM_LEADER,
    Role.OFFICE,
)
COMPUTE = permission(
    "scoring:score:compute",
    "Compute a month's scores from the recorded facts and issue them",
    Role.VENDOR_MANAGER,
    Role.AUDIT_HEAD,
)
