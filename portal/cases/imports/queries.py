"""Reads of the import: what a file may name, which cases are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.imports.rules import Existing, Facts, Person, Vendor, fold
from portal.cases.models import Batch, Case
from portal.cases.sealing import CARD, DEBTOR, PHONE
from portal.vendors.models import Group, Member, Project
from tenants.models import Tenant, TenantKind, TenantStatus
from tenants.vault import installed

CHUNK = 1_000
_STORED = (
    "tenant_id",
    "case_no",
    "project_id",
    "entrusting_company",
    "principal",
    "interest",
    "fees",
    "amount",
    "days_past_due",
    "age_band",
    "entrusted_on",
    "due_back_on",
    "group_id",
    "member_id",
    "status",
)
_KEPT_ASIDE = ("id", "version", "card_sealed", "debtor_sealed", "phone_sealed")


def vendors_by_name(session: Session, today: date) -> dict[str, Vendor]:
    """Every vendor by folded code, short name and full name, with what belongs to it.

    People who have left by `today` are not among them.
    """
    by_id: dict[UUID, Vendor] = {}
    named: dict[str, Vendor] = {}
    rows = session.execute(
        sa.select(Tenant.id, Tenant.code, Tenant.short_name, Tenant.name, Tenant.status).where(
            Tenant.kind == TenantKind.VENDOR.value
        )
    )
    for row in rows:
        vendor = Vendor(row.id, row.short_name, row.status == TenantStatus.ACTIVE.value)
        by_id[row.id] = vendor
        named |= {fold(row.name): vendor, fold(row.short_name): vendor}
        named[fold(row.code)] = vendor
    for project in session.execute(
        sa.select(Project.tenant_id, Project.id, Project.name).order_by(Project.name)
    ):
        by_id[project.tenant_id].projects[fold(project.name)] = project.id
        by_id[project.tenant_id].project_names.append(project.name)
    for group in session.execute(sa.select(Group.tenant_id, Group.id, Group.name)):
        by_id[group.tenant_id].groups[fold(group.name)] = group.id
    _add_people(session, by_id, today)
    return named


def _add_people(session: Session, by_id: Mapping[UUID, Vendor], today: date) -> None:
    rows = session.execute(
        sa.select(Member.tenant_id, Member.id, Member.staff_no, Member.name, Member.group_id).where(
            sa.or_(Member.until.is_(None), Member.until >= today)
        )
    )
    for row in rows:
        person, vendor = Person(row.id, row.group_id), by_id[row.tenant_id]
        vendor.by_staff_no[fold(row.staff_no)] = person
        vendor.by_name.setdefault(fold(row.name), []).append(person)


def existing_cases(
    session: Session, tenant_id: UUID, case_nos: Sequence[str]
) -> Iterator[tuple[str, Existing]]:
    """The cases of a vendor with these numbers, personal data opened for comparing (C4.1)."""
    key = installed().key(session, tenant_id)
    columns = [getattr(Case, name) for name in (*_STORED, *_KEPT_ASIDE)]
    for start in range(0, len(case_nos), CHUNK):
        rows = session.execute(
            sa.select(*columns, Batch.batch_no)
            .join(Batch, sa.and_(Batch.tenant_id == Case.tenant_id, Batch.id == Case.batch_id))
            .where(Case.tenant_id == tenant_id, Case.case_no.in_(case_nos[start : start + CHUNK]))
        )
        for row in rows:
            facts = Facts(
                **{name: getattr(row, name) for name in _STORED},
                batch=row.batch_no,
                card=key.open(CARD, row.id, row.card_sealed) if row.card_sealed else "",
                debtor=key.open(DEBTOR, row.id, row.debtor_sealed) if row.debtor_sealed else "",
                phone=key.open(PHONE, row.id, row.phone_sealed) if row.phone_sealed else "",
            )
            yield row.case_no, Existing(row.id, row.version, facts)


def vendor_names(session: Session, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The short names of vendors."""
    rows = session.execute(sa.select(Tenant.id, Tenant.short_name).where(Tenant.id.in_(ids)))
    return {row.id: row.short_name for row in rows}
