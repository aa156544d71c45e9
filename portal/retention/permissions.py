"""Who sees what will be deleted, who holds it, who deletes it."""

from __future__ import annotations

from portal.kernel.access import Role, permission

SEE = permission(
    "retention:see",
    "See what is near the end of its time, what is held, and what was deleted",
    Role.ADMINISTRATOR,
    Role.AUDIT_HEAD,
    Role.GENERAL_DEPARTMENT,
    Role.COMPLAINTS,
)
HOLD = permission(
    "retention:hold",
    "Put a legal hold on a case, request or notice, and lift it",
    Role.AUDIT_HEAD,
    Role.GENERAL_DEPARTMENT,
    Role.COMPLAINTS,
)
DELETE = permission(
    "retention:delete",
    "Delete what is beyond its time",
    Role.ADMINISTRATOR,
)
