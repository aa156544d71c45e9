"""Who acts and what they may do: roles, permissions, the actor, and the guard of every view.

Each slice lists its permissions in `permissions.py`, one sentence each, with the roles that hold
them. A view carries exactly one of `guard(permission)`, `signed_in` and `open_to_all(reason)`;
the architecture tests fail on a view without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

View = TypeVar("View", bound=Callable[..., Any])


class Role(StrEnum):
    """Roles of rules.md, "Who uses it" (A1 for the company's, A2 for the vendor's)."""

    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    AUDIT_HEAD = "audit_head"
    VENDOR_MANAGER = "vendor_manager"
    FINANCE = "finance"
    COMPLAINTS = "complaints"
    GENERAL_DEPARTMENT = "general_department"
    GENERAL_MANAGER = "general_manager"
    MANAGER = "manager"
    SUPERVISOR = "supervisor"
    TEAM_LEADER = "team_leader"
    AGENT = "agent"
    OFFICE = "office"


COMPANY_ROLES = frozenset(
    {
        Role.ADMINISTRATOR,
        Role.AUDITOR,
        Role.AUDIT_HEAD,
        Role.VENDOR_MANAGER,
        Role.FINANCE,
        Role.COMPLAINTS,
        Role.GENERAL_DEPARTMENT,
        Role.GENERAL_MANAGER,
    }
)
VENDOR_ROLES = frozenset(set(Role) - COMPANY_ROLES)


@dataclass(frozen=True, slots=True)
class Permission:
    """A thing that a role may do. `code` reads `slice:resource:action`."""

    code: str
    sentence: str
    roles: frozenset[Role]


def permission(code: str, sentence: str, *roles: Role) -> Permission:
    """Declare a permission and the roles that hold it."""
    made = Permission(code, sentence, frozenset(roles))
    if code in REGISTRY and REGISTRY[code] != made:
        raise ValueError(f"permission {code} is declared twice")
    REGISTRY[code] = made
    return made


REGISTRY: dict[str, Permission] = {}


@dataclass(frozen=True, slots=True)
class Actor:
    """The person (or the portal itself) who acts. Passed down to services as an argument."""

    account_id: UUID
    name: str
    tenant_id: UUID
    company_id: UUID
    roles: frozenset[Role] = field(default_factory=frozenset)
    locale: str = "zh_Hans_CN"

    @property
    def is_company(self) -> bool:
        """Company people work across vendors; everybody else belongs to one."""
        return self.tenant_id == self.company_id

    def may(self, wanted: Permission) -> bool:
        """Whether one of the actor's roles holds the permission."""
        return not self.roles.isdisjoint(wanted.roles)


SYSTEM_ACCOUNT = UUID(int=0)


def system_actor(company_id: UUID, tenant_id: UUID | None = None) -> Actor:
    """The portal acting by itself (sweeper, jobs), in the company or for one vendor."""
    return Actor(SYSTEM_ACCOUNT, "系统", tenant_id or company_id, company_id)


def guard(wanted: Permission) -> Callable[[View], View]:
    """The view needs `wanted`; without it the page is as absent as any other (404)."""

    def mark(view: View) -> View:
        view.access = wanted  # type: ignore[attr-defined]
        return view

    return mark


def signed_in(view: View) -> View:
    """The view is for every signed-in person."""
    view.access = "signed-in"  # type: ignore[attr-defined]
    return view


def open_to_all(reason: str) -> Callable[[View], View]:
    """The view needs no sign-in; `reason` says why that is safe."""

    def mark(view: View) -> View:
        view.access = f"open: {reason}"  # type: ignore[attr-defined]
        return view

    return mark
