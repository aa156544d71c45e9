"""Reads of cases: the list, a case, and what the slices above build on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.models import Batch, Case, CaseStatusChange
from portal.cases.rules import CaseStatus, month_bounds
from portal.files.cells import normal_phone
from portal.kernel.errors import NotFound
from portal.vendors.models import Group, Member, Project
from tenants.models import Tenant
from tenants.prepared import Prepared
from tenants.vault import installed


@dataclass(frozen=True, slots=True)
class Entrusted:
    """What was entrusted of one project and age band: number of cases and amount in CNY."""

    project_id: UUID
    project: str
    age_band: str
    cases: int
    amount: Decimal


def entrusted(session: Session, tenant_id: UUID, period: str) -> tuple[Entrusted, ...]:
    """What a vendor held in the month "YYYY-MM", by project and age band at entrusting.

    A case counts when it was entrusted before the month's end and neither left the vendor's hands
    nor came to its day due back before the month began (kept cases stay on beyond that day).
    """
    first, following = month_bounds(period)
    rows = session.execute(
        sa.select(
            Case.project_id,
            Project.name,
            Case.age_band,
            sa.func.count(),
            sa.func.sum(Case.amount),
        )
        .join(Project, sa.and_(Project.tenant_id == Case.tenant_id, Project.id == Case.project_id))
        .where(
            Case.tenant_id == tenant_id,
            Case.entrusted_on < following,
            sa.or_(Case.closed_on.is_(None), Case.closed_on >= first),
            sa.or_(Case.due_back_on >= first, Case.status == CaseStatus.KEPT.value),
        )
        .group_by(Case.project_id, Project.name, Case.age_band)
        .order_by(Project.name, Case.age_band)
    )
    return tuple(Entrusted(*row) for row in rows)


def cases_under(session: Session, contract: tuple[UUID, UUID], ids: Iterable[UUID]) -> set[UUID]:
    """Those of the cases `ids` whose project stands under the contract (its vendor, its id)."""
    tenant_id, contract_id = contract
    return set(
        session.scalars(
            sa.select(Case.id)
            .join(
                Project, sa.and_(Project.tenant_id == Case.tenant_id, Project.id == Case.project_id)
            )
            .where(
                Case.tenant_id == tenant_id,
                Case.id.in_(set(ids)),
                Project.contract_id == contract_id,
            )
        )
    )


@dataclass(frozen=True, slots=True)
class CaseKey:
    """What a case is recognised by and shown as, without opening anything."""

    tenant_id: UUID
    id: UUID
    case_no: str
    entrusting_company: str
    card_masked: str
    card_index: bytes
    debtor_masked: str
    phone_masked: str
    phone_index: bytes
    age_band: str
    amount: Decimal
    status: str
    project_id: UUID
    group_id: UUID | None
    member_id: UUID | None
    entrusted_on: date
    due_back_on: date


_KEY_COLUMNS = tuple(getattr(Case, name) for name in CaseKey.__dataclass_fields__)


def case_index(session: Session, tenant_id: UUID, case_ids: Sequence[UUID]) -> list[CaseKey]:
    """These cases of a vendor by case number; unknown ids are left out."""
    rows = session.execute(
        sa.select(*_KEY_COLUMNS)
        .where(Case.tenant_id == tenant_id, Case.id == sa.func.any(_array(case_ids, sa.Uuid)))
        .order_by(Case.case_no)
    )
    return [CaseKey(*row) for row in rows]


def by_numbers(
    session: Session, case_nos: Sequence[str], tenant_id: UUID | None = None
) -> list[CaseKey]:
    """The cases with these numbers, of one vendor or of all that the scope sees."""
    statement = sa.select(*_KEY_COLUMNS).where(
        Case.case_no == sa.func.any(_array(case_nos, sa.Text))
    )
    if tenant_id is not None:
        statement = statement.where(Case.tenant_id == tenant_id)
    return [CaseKey(*row) for row in session.execute(statement.order_by(Case.case_no))]


def _array(values: Sequence[Any], kind: Any) -> Any:
    return sa.cast(list(values), sa.ARRAY(kind))


def phone_index(session: Session, tenant_id: UUID, text: str) -> bytes | None:
    """The blind index under which a vendor's cases keep this phone number; None if it is none."""
    number = normal_phone(text)
    return installed().key(session, tenant_id).index("phone", number) if number else None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case for its page and for papers: names beside ids, personal data masked."""

    id: UUID
    tenant_id: UUID
    vendor: str
    case_no: str
    entrusting_company: str
    card_masked: str
    debtor_masked: str
    phone_masked: str
    project_id: UUID
    project: str
    batch: str
    principal: Decimal
    interest: Decimal
    fees: Decimal
    amount: Decimal
    days_past_due: int
    age_band: str
    entrusted_on: date
    due_back_on: date
    closed_on: date | None
    group_id: UUID | None
    group: str | None
    member_id: UUID | None
    member: str | None
    staff_no: str | None
    status: CaseStatus
    created_at: datetime
    version: int


_C, _STEPS = Case.__table__.c, CaseStatusChange.__table__.c
_TENANT: sa.BindParameter[UUID] = sa.bindparam("tenant", None, type_=sa.Uuid())
_CASE: sa.BindParameter[UUID] = sa.bindparam("case", None, type_=sa.Uuid())


def _whole(*conditions: Any) -> Prepared:
    """A case with the names of what it refers to. Over tables, so each says whose rows it wants."""
    tenant, project, group = Tenant.__table__, Project.__table__, Group.__table__
    member, batch = Member.__table__, Batch.__table__

    def its(table: Any, reference: Any) -> Any:
        return sa.and_(table.c.tenant_id == _C.tenant_id, table.c.id == reference)

    return Prepared(
        sa.select(
            _C.id,
            _C.tenant_id,
            tenant.c.short_name,
            _C.case_no,
            _C.entrusting_company,
            _C.card_masked,
            _C.debtor_masked,
            _C.phone_masked,
            _C.project_id,
            project.c.name,
            batch.c.batch_no,
            _C.principal,
            _C.interest,
            _C.fees,
            _C.amount,
            _C.days_past_due,
            _C.age_band,
            _C.entrusted_on,
            _C.due_back_on,
            _C.closed_on,
            _C.group_id,
            group.c.name,
            _C.member_id,
            member.c.name,
            member.c.staff_no,
            _C.status,
            _C.created_at,
            _C.version,
        )
        .select_from(Case.__table__)
        .outerjoin(tenant, tenant.c.id == _C.tenant_id)
        .outerjoin(project, its(project, _C.project_id))
        .outerjoin(group, its(group, _C.group_id))
        .outerjoin(member, its(member, _C.member_id))
        .outerjoin(batch, its(batch, _C.batch_id))
        .where(_C.id == _CASE, *conditions)
    )


_OF_TENANT, _OF_ANY = _whole(_C.tenant_id == _TENANT), _whole()


def get_case(session: Session, case_id: UUID, tenant_id: UUID | None = None) -> CaseView:
    """A case that the scope sees; raises `NotFound`. The company names the vendor if it knows."""
    own = session.info.get("vendor_tenant")
    if own is not None and tenant_id not in (None, own):
        raise NotFound("case")
    tenant = own or tenant_id
    statement = _OF_ANY if tenant is None else _OF_TENANT
    rows = statement.rows(session, {"case": case_id, "tenant": tenant})
    if not rows:
        raise NotFound("case")
    values = dict(zip(CaseView.__dataclass_fields__, rows[0], strict=True))
    return CaseView(**{**values, "status": CaseStatus(values["status"])})


@dataclass(frozen=True, slots=True)
class StatusStep:
    """A change of status, for the case's page."""

    old: CaseStatus
    new: CaseStatus
    reason: str
    at: datetime
    by: str


_OF_CASE = Prepared(
    sa.select(
        _STEPS.old_status,
        _STEPS.new_status,
        _STEPS.reason,
        _STEPS.changed_at,
        _STEPS.changed_by_name,
    )
    .where(_STEPS.tenant_id == _TENANT, _STEPS.case_id == _CASE)
    .order_by(_STEPS.changed_at.desc(), _STEPS.id.desc())
)


def whole_case(session: Session, case_id: UUID) -> tuple[CaseView, tuple[StatusStep, ...]]:
    """A case that the scope sees, and its changes of status, newest first; raises `NotFound`."""
    own = session.info.get("vendor_tenant")
    # A vendor's own are read with the case; whose case the company opens, only the case says.
    early = own and _OF_CASE.asked(session, {"tenant": own, "case": case_id})
    case = get_case(session, case_id)
    steps = early or _OF_CASE.asked(session, {"tenant": case.tenant_id, "case": case_id})
    return case, tuple(
        StatusStep(CaseStatus(old), CaseStatus(new), *rest) for old, new, *rest in steps.rows()
    )
