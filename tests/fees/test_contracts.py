"""A vendor with two contracts: each finding and each reward stands on one statement."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import sqlalchemy as sa

from portal.audits.assessments.service import confirm_form
from portal.audits.models import Finding
from portal.cases.models import Case
from portal.excellence.models import ExcellentCase
from portal.fees.models import Statement, StatementLine
from portal.fees.service import prepare
from portal.kernel import clock
from portal.kernel.access import Role
from portal.scoring.service import compute, issue
from portal.vendors.models import Contract
from portal.vendors.service import add_contract, add_project
from tests.conftest import Portal
from tests.factories.audits import open_audit, prepared

OCTOBER = datetime(2026, 10, 9, 2, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)


def test_what_concerns_a_case_is_on_its_own_contracts_statement_only(portal: Portal) -> None:
    world, vendor = portal.world, portal.world.vendors[0]
    actor = world.actor(Role.VENDOR_MANAGER)
    with clock.frozen(OCTOBER), portal.session(world.scope) as session:
        audit = open_audit(session, world, vendor)
        first = session.get_one(Contract, (vendor.id, vendor.contract_id))
        second = add_contract(
            session,
            vendor.id,
            number="HT-HC-2026-02",
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
            fee_terms=first.fee_terms,
            actor=actor,
        )
        add_project(session, vendor.id, contract_id=second.id, name="车贷", targets={})
        confirm_form(
            session, prepared(session, audit, occurred_on=date(2026, 10, 8)), actor=audit.head
        )
        finding = session.scalars(sa.select(Finding)).one()
        case = session.get_one(Case, (vendor.id, finding.case_id))
        session.add(
            ExcellentCase(
                tenant_id=vendor.id,
                case_id=case.id,
                case_no=case.case_no,
                period="2026-10",
                why="沟通得当",
                state="selected",
                recommended_at=clock.now(),
                recommended_by_name="周经理",
                reward=Decimal("200.00"),
            )
        )
        session.commit()
    with clock.frozen(LATER), portal.session(world.scope) as session:
        score = compute(session, tenant_id=vendor.id, period="2026-10", actor=actor)
        issue(session, score.id, actor=actor)
        prepare(session, tenant_id=vendor.id, period="2026-10", actor=world.actor(Role.FINANCE))
        session.commit()
        lines = session.execute(
            sa.select(Statement.contract_id, StatementLine.kind, StatementLine.subject_id)
            .join(StatementLine, StatementLine.statement_id == Statement.id)
            .where(StatementLine.subject_type.in_(("finding", "excellent_case")))
            .order_by(StatementLine.kind)
        ).all()
        assert session.scalar(sa.select(sa.func.count()).select_from(Statement)) == 2
    assert [(contract, kind) for contract, kind, _subject in lines] == [
        (vendor.contract_id, "deduction"),
        (vendor.contract_id, "reward"),
    ]
