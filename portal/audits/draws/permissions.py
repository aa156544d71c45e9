"""Who may see and make draws (A1, A3). Vendors see nothing of them but their own request."""

from __future__ import annotations

from portal.kernel.access import Role, permission

SEE = permission(
    "audits:draw:see",
    "See draws: populations, seeds, quotas and samples of every vendor",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
)
MAKE = permission(
    "audits:draw:make",
    "Plan, freeze, draw and issue a draw (A3)",
    Role.AUDITOR,
    Role.AUDIT_HEAD,
)
