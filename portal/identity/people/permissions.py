"""Who looks after people's accounts, and who sees the audit department's record."""

from __future__ import annotations

from portal.kernel.access import Role, permission

MANAGE = permission(
    "identity:account:manage",
    "Add people, name them to roles, end accounts and send links for passwords",
    Role.ADMINISTRATOR,
)
SEE_DEPARTMENT = permission(
    "identity:audit_department:see",
    "See who is and was a member of the audit department, named by whom and since when",
    Role.ADMINISTRATOR,
    Role.AUDITOR,
    Role.AUDIT_HEAD,
    Role.GENERAL_DEPARTMENT,
    Role.GENERAL_MANAGER,
)
