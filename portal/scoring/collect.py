"""The month's recorded facts of a vendor, pulled from every slice that records them.

Nothing pushes into scores: what is asked here is what stands at this moment.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits import queries as audits
from portal.calendar.service import load
from portal.cases import queries as cases
from portal.materials import queries as materials
from portal.receipts import queries as receipts
from portal.rectification import queries as rectification
from portal.scoring.facts import Facts, Finding, Link, Miss, Recovery, Tally
from portal.scoring.scheme import Source
from portal.vendors.clauses import Level
from portal.vendors.models import Project

_PERCENT = Decimal(100)


def facts(session: Session, tenant_id: UUID, period: str) -> Facts:
    """The facts of one vendor and Beijing month "YYYY-MM" (company scope)."""
    audit = audits.score_facts(session, tenant_id, period)
    return Facts(
        reviewed=audit.reviewed,
        failed=tuple(
            Miss(Link("review", review.id), params={"case_no": review.case_no})
            for review in audit.reviews
            if not review.passed
        ),
        findings=tuple(
            Finding(
                Link("finding", finding.id),
                finding.clause,
                Level(finding.level),
                finding.points,
                finding.case_id,
                case_no=finding.case_no,
            )
            for finding in audit.findings
        ),
        recovery=_recovery(session, tenant_id, period),
        tallies={
            Source.MATERIALS: _materials(session, tenant_id, period),
            Source.RECTIFICATIONS: _rectifications(session, tenant_id, period),
        },
    )


def _materials(session: Session, tenant_id: UUID, period: str) -> Tally:
    found = materials.score_facts(session, tenant_id, period, load(session))
    return Tally(
        found.total,
        tuple(
            Miss(
                Link("request_item", item.item_id),
                item.working_days_late,
                {"number": item.number, "case_no": item.case_no},
                "unusable" if item.unusable else "missed",
            )
            for item in found.missed
        ),
    )


def _rectifications(session: Session, tenant_id: UUID, period: str) -> Tally:
    found = rectification.score_facts(session, tenant_id, period, load(session))
    return Tally(
        found.total,
        tuple(
            Miss(Link("rectification", one.id), one.working_days_late, {"number": one.number})
            for one in found.missed
        ),
    )


def targets(session: Session, tenant_id: UUID) -> dict[tuple[UUID, str], Decimal]:
    """The part of the amount entrusted that is to be recovered in a month, by project and age."""
    rows = session.execute(
        sa.select(Project.id, Project.targets).where(Project.tenant_id == tenant_id)
    )
    return {
        (row.id, age): Decimal(percent) / _PERCENT
        for row in rows
        for age, percent in row.targets.items()
    }


def _recovery(session: Session, tenant_id: UUID, period: str) -> tuple[Recovery, ...]:
    wanted = targets(session, tenant_id)
    received = {
        (row.project_id, row.age_band): row.credited
        for row in receipts.by_project_and_band(session, tenant_id, period)
    }
    return tuple(
        Recovery(
            Link("project", row.project_id),
            row.project,
            row.age_band,
            row.amount,
            max(received.get((row.project_id, row.age_band), Decimal(0)), Decimal(0)),
            wanted[row.project_id, row.age_band],
        )
        for row in cases.entrusted(session, tenant_id, period)
        if (row.project_id, row.age_band) in wanted and row.amount > 0
    )
