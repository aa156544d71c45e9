"""What may be done with excellent cases (A7)."""

from __future__ import annotations

from portal.kernel.access import Role, permission

RECOMMENDERS = (Role.MANAGER, Role.SUPERVISOR)
VIEW = permission(
    "excellence:case:view",
    "See recommended and selected cases (a vendor: its own)",
    Role.GENERAL_DEPARTMENT,
    Role.AUDIT_HEAD,
    Role.AUDITOR,
    Role.VENDOR_MANAGER,
    Role.FINANCE,
    Role.GENERAL_MANAGER,
    *RECOMMENDERS,
    Role.TEAM_LEADER,
    Role.OFFICE,
)
RECOMMEND = permission(
    "excellence:case:recommend", "Recommend a case of one's own for a month (A7)", *RECOMMENDERS
)
DECIDE = permission(
    "excellence:case:decide",
    "Select or decline recommended cases (A7)",
    Role.GENERAL_DEPARTMENT,
)
