"""Who looks after the mails."""

from __future__ import annotations

from portal.kernel.access import Role, permission

MAILS = permission(
    "notifications:mail:see",
    "See which mails went out and which failed, and send failed ones again",
    Role.ADMINISTRATOR,
)
