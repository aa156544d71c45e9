"""The scope a piece of work runs in: which database login, and which tenant's rows.

A scope is bound once around a request, a job or a command (`bound`). The database layer reads it
from the context, so that no query can be sent without one, and refuses to change it while a
session is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Login(StrEnum):
    """The database's login roles (design: each does one kind of work and no more)."""

    OWNER = "owner"
    """Owns every table; used by migrations only."""
    VENDOR = "vendor"
    """A vendor's people: sees its own tenant's rows."""
    COMPANY = "company"
    """The company's people: work across vendors."""
    SIGN_IN = "signin"
    """Reads accounts and sessions, nothing else."""
    PUBLIC = "public"
    """A few definer functions for pages without a sign-in."""
    QUEUE = "queue"
    """The worker's dispatcher."""


class ScopeError(RuntimeError):
    """Work was attempted without a scope, or a scope was changed under an open session."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A login and the tenant that its transactions are limited to.

    `tenant_id` is the vendor for `Login.VENDOR`, the company's reserved tenant for
    `Login.COMPANY`, and None for logins that see no tenant's rows.
    """

    login: Login
    tenant_id: UUID | None = None

    @classmethod
    def vendor(cls, tenant_id: UUID) -> Scope:
        """The scope of one vendor's people and of every job that makes something for it."""
        return cls(Login.VENDOR, tenant_id)

    @classmethod
    def company(cls, tenant_id: UUID) -> Scope:
        """The scope of the company's people. `tenant_id` is the company's reserved tenant."""
        return cls(Login.COMPANY, tenant_id)

    def __post_init__(self) -> None:
        """A vendor or company scope without a tenant would be a scope over nothing: refuse it."""
        if self.login in (Login.VENDOR, Login.COMPANY) and self.tenant_id is None:
            raise ScopeError(f"a {self.login.value} scope needs a tenant")


@dataclass(slots=True)
class _Binding:
    scope: Scope
    open_sessions: int = field(default=0)


_binding: ContextVar[_Binding | None] = ContextVar("tenant_scope", default=None)


def find_scope() -> Scope | None:
    """The scope bound to this context, or None."""
    binding = _binding.get()
    return binding.scope if binding else None


def get_scope() -> Scope:
    """The scope bound to this context; raises `ScopeError` when there is none."""
    scope = find_scope()
    if scope is None:
        raise ScopeError("no tenant scope is bound here; wrap the work in tenants.scope.bound()")
    return scope


@contextmanager
def bound(scope: Scope) -> Iterator[Scope]:
    """Bind `scope` for the block. Raises `ScopeError` when another scope has an open session."""
    current = _binding.get()
    if current is not None and current.open_sessions and current.scope != scope:
        raise ScopeError(
            f"scope cannot change from {current.scope} to {scope} while a session is open"
        )
    token = _binding.set(_Binding(scope))
    try:
        yield scope
    finally:
        _binding.reset(token)


@contextmanager
def session_opened() -> Iterator[Scope]:
    """Count a session of the bound scope as open for the block (used by the database layer)."""
    binding = _binding.get()
    if binding is None:
        raise ScopeError("no tenant scope is bound here; wrap the work in tenants.scope.bound()")
    if binding.open_sessions:
        raise ScopeError("a scope has one session; close the open one first")
    binding.open_sessions += 1
    try:
        yield binding.scope
    finally:
        binding.open_sessions -= 1
