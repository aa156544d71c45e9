"""The names of vendors, projects, groups and people: kept half a minute a process.

Lists name what fifty rows refer to, and offer the same names as filters. Joined to each page they
cost more than finding it, and they hardly ever change: nothing is renamed, only added. Who meets an
id that is not in the directory reads it anew, so a name is never missing; only what filters offer
may come half a minute late in another process. Each scope keeps a directory of its own, read
under that scope.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from portal.vendors.models import Group, Member, Project
from tenants.models import Tenant, TenantKind
from tenants.prepared import Prepared

Pairs = tuple[tuple[str, str], ...]
"""Ids as text, and names: what a filter offers."""

_SECONDS = 30.0
_MOST = 500
_VENDORS, _PROJECTS, _GROUPS, _MEMBERS = range(4)
_OWN: sa.BindParameter[UUID] = sa.bindparam("own", None, type_=sa.Uuid())


@dataclass(frozen=True, slots=True)
class Directory:
    """What a scope's ids are called. `vendors` by code; `projects` and `groups` of each vendor by
    name; `names` of everything by id as text (`as_text`), people included."""

    vendors: Pairs
    projects: Mapping[UUID, Pairs]
    groups: Mapping[UUID, Pairs]
    names: Mapping[str, str]


_kept: dict[tuple[str, UUID | None], tuple[float, Directory]] = {}
_lock = Lock()


def as_text(column: Any) -> sa.Cast[str]:
    """An id as the directory has it. Text, because reading and comparing the ids of fifty rows as
    objects of Python costs as much as finding them."""
    return sa.cast(column, sa.Text)


def directory(session: Session, needed: Iterable[str | None] = ()) -> Directory:
    """The directory of the session's scope, with the names of all `needed` ids (None: of none)."""
    own: UUID | None = session.info.get("vendor_tenant")
    key = (session.get_bind().url.database or "", own)  # type: ignore[union-attr]
    hit = _kept.get(key)
    if hit and time.monotonic() - hit[0] < _SECONDS:
        known = hit[1].names
        if all(one is None or one in known for one in needed):
            return hit[1]
    made = _read(session, own)
    with _lock:
        if len(_kept) >= _MOST:
            _kept.clear()
        _kept[key] = (time.monotonic(), made)
    return made


def forget() -> None:
    """Drop what this process keeps."""
    with _lock:
        _kept.clear()


def changed(session: Session) -> None:
    """Something was added in `session`: what is kept is dropped once that is committed."""
    event.listen(session, "after_commit", lambda _session: forget(), once=True)


@cache
def _statement(*, own: bool) -> Prepared:
    tenants = Tenant.__table__.c
    vendor = tenants.kind == sa.literal_column(f"'{TenantKind.VENDOR.value}'")
    parts = [_part(_VENDORS, tenants.id, tenants, tenants.short_name, tenants.code).where(vendor)]
    parts += [
        _part(number, table.c.tenant_id, table.c, table.c.name, table.c.name)
        for number, table in (
            (_PROJECTS, Project.__table__),
            (_GROUPS, Group.__table__),
            (_MEMBERS, Member.__table__),
        )
    ]
    if own:
        parts = [part.where(part.selected_columns.tenant == _OWN) for part in parts]
    return Prepared(sa.union_all(*parts).order_by(sa.literal_column("5")))


def _part(number: int, tenant: Any, columns: Any, name: Any, order: Any) -> sa.Select[Any]:
    return sa.select(
        sa.literal_column(str(number)), tenant.label("tenant"), as_text(columns.id), name, order
    )


def _read(session: Session, own: UUID | None) -> Directory:
    names: dict[str, str] = {}
    offered: tuple[defaultdict[UUID, list[tuple[str, str]]], ...] = tuple(
        defaultdict(list) for _ in range(4)
    )
    for kind, tenant, row_id, name, _order in _statement(own=own is not None).rows(
        session, {} if own is None else {"own": own}
    ):
        names[row_id] = name
        if kind != _MEMBERS:
            offered[kind][tenant].append((row_id, name))
    return Directory(
        tuple(pair for pairs in offered[_VENDORS].values() for pair in pairs),
        {tenant: tuple(pairs) for tenant, pairs in offered[_PROJECTS].items()},
        {tenant: tuple(pairs) for tenant, pairs in offered[_GROUPS].items()},
        names,
    )
