"""An upheld appeal after the month's end: score and fee follow, before and after confirmation."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from portal.audits.appeals.models import Appeal
from portal.audits.appeals.service import decide, raise_appeal
from portal.audits.assessments.service import confirm_form
from portal.audits.models import Finding
from portal.cases.models import Case
from portal.fees.defaults import DEFAULT_FEE_SCHEME
from portal.fees.models import FeeAdjustment, Statement
from portal.fees.rules import Deduction, Earning, Month, corrected, settle
from portal.fees.service import confirm, prepare
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.notices.models import Document
from portal.receipts.models import Receipt
from portal.rectification.models import Rectification
from portal.rectification.service import issue_notice, text_from_form, write_draft
from portal.scoring.facts import Link
from portal.scoring.models import Score
from portal.scoring.service import compute, issue
from tenants.rows import new_id
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.audits import Audit, open_audit, prepared

OCTOBER = datetime(2026, 10, 9, 2, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
NEXT = datetime(2026, 12, 2, 2, 0, tzinfo=UTC)


def _october(portal: Portal) -> tuple[Audit, UUID]:
    """A form with one finding (500.00), 200,000.00 received of M3, score issued in November."""
    world, vendor = portal.world, portal.world.vendors[0]
    with clock.frozen(OCTOBER), portal.session(world.scope) as session:
        audit = open_audit(session, world, vendor)
        session.execute(
            sa.update(Case).values(
                age_band="M3",
                amount=Decimal("2000000.00"),
                principal=Decimal("2000000.00"),
                interest=Decimal(0),
                fees=Decimal(0),
                entrusted_on=date(2026, 9, 1),
                due_back_on=date(2027, 2, 28),
            )
        )
        form = prepared(session, audit, occurred_on=date(2026, 10, 8))
        confirm_form(session, form, actor=audit.head)
        case_id, case_no = session.execute(sa.select(Case.id, Case.case_no).limit(1)).one()
        session.add(
            Receipt(
                tenant_id=vendor.id,
                case_id=case_id,
                case_no=case_no,
                serial="S1",
                credited_on=date(2026, 10, 9),
                amount=Decimal("200000.00"),
                reverses=None,
                import_id=new_id(),
                confirmed_at=clock.now(),
            )
        )
        actor = world.actor(Role.VENDOR_MANAGER)
        text = text_from_form(session, form, "逾期计入考核")
        notice = write_draft(
            session, draft_id=new_id(), tenant_id=vendor.id, form_id=form.id, text=text, actor=actor
        )
        issue_notice(session, notice, actor=actor)
        session.commit()
        finding_id = session.scalars(sa.select(Finding.id)).one()
    with clock.frozen(LATER), portal.session(world.scope) as session:
        score = compute(session, tenant_id=vendor.id, period="2026-10", actor=actor)
        issue(session, score.id, actor=actor)
        prepare(session, tenant_id=vendor.id, period="2026-10", actor=_finance(portal))
        session.commit()
    return audit, finding_id


def _finance(portal: Portal) -> Actor:
    return portal.world.actor(Role.FINANCE)


def _uphold(portal: Portal, audit: Audit, finding_id: UUID) -> None:
    with portal.session(Scope.vendor(audit.vendor.id)) as session:
        finding = session.scalars(sa.select(Finding)).one()
        raise_appeal(
            session, finding, "误判", actor=audit.vendor.actor(Role.MANAGER, audit.world.company_id)
        )
        session.commit()
    with portal.session(portal.world.scope) as session:
        appeal = session.scalars(sa.select(Appeal)).one()
        decide(session, appeal, uphold=True, reason="复听后成立", actor=audit.colleague)
        session.commit()


def _statement(portal: Portal, period: str = "2026-10") -> Statement:
    with portal.session(portal.world.scope) as session:
        return session.scalars(sa.select(Statement).where(Statement.period == period)).one()


def test_before_confirmation_score_and_statement_are_computed_anew(portal: Portal) -> None:
    """The deduction of 500.00 goes, the factor rises; the preparer still does not confirm; the
    score's paper is superseded; the notice behind which nothing stands is cancelled."""
    audit, finding_id = _october(portal)
    before = _statement(portal)
    assert before.deductions == Decimal("-500.00")
    with clock.frozen(LATER):
        _uphold(portal, audit, finding_id)
        after = _statement(portal)
        assert after.deductions == 0 and after.payable > before.payable + 499
        assert after.prepared_by == before.prepared_by and after.version > before.version
        with portal.session(portal.world.scope) as session:
            score = session.scalars(sa.select(Score)).one()
            assert (score.number, score.state) == ("KH-HC-2026-0002", "issued")
            papers = session.scalars(
                sa.select(Document)
                .where(Document.template == "score_report")
                .order_by(Document.number)
            ).all()
            assert papers[1].supersedes_id == papers[0].id
            assert "申诉成立" in papers[1].content["notes"][0]
            assert session.scalars(sa.select(Rectification)).one().state == "cancelled"


def test_after_confirmation_the_difference_goes_onto_the_next_statement(portal: Portal) -> None:
    """The confirmed statement stands; November's has a line with what October's should have come
    to, once; and a second look makes no second adjustment."""
    audit, finding_id = _october(portal)
    with clock.frozen(LATER):
        with portal.session(portal.world.scope) as session:
            row = session.scalars(sa.select(Statement)).one()
            confirm(session, row.id, actor=portal.world.actor(Role.GENERAL_MANAGER))
            session.commit()
        confirmed = _statement(portal)
        _uphold(portal, audit, finding_id)
        assert _statement(portal).payable == confirmed.payable
    with clock.frozen(NEXT), portal.session(portal.world.scope) as session:
        adjustment = session.scalars(sa.select(FeeAdjustment)).one()
        score = session.scalars(sa.select(Score)).one()
        # 200,000 of M3 at 12 %, 66.67 % of the target: x 0.90 = 21,600.00, then the factor.
        fair = (Decimal("21600.00") * score.factor).quantize(Decimal("0.01"))
        assert confirmed.payable + adjustment.amount == fair
        assert adjustment.taken_id is None and adjustment.amount > 499
        actor = portal.world.actor(Role.VENDOR_MANAGER)
        november = compute(session, tenant_id=audit.vendor.id, period="2026-11", actor=actor)
        issue(session, november.id, actor=actor)
        for _again in range(2):
            (row,) = prepare(
                session, tenant_id=audit.vendor.id, period="2026-11", actor=_finance(portal)
            )
            assert row.payable == adjustment.amount, "nothing else was received in November"
        session.commit()
        assert session.scalars(sa.select(FeeAdjustment.taken_id)).one() == row.id


MONEY = st.decimals(0, 10_000_000, places=2)
LINK = Link("finding", UUID(int=1))


@given(
    receipts=MONEY,
    costs=st.lists(st.tuples(MONEY, st.booleans()), max_size=6),
    factor=st.sampled_from([Decimal("1.00"), Decimal("0.95"), Decimal("0.85"), Decimal("0.70")]),
    better=st.sampled_from([Decimal("1.00"), Decimal("0.95")]),
)
def test_a_corrected_statement_is_the_one_that_would_have_been_settled(
    receipts: Decimal, costs: list[tuple[Decimal, bool]], factor: Decimal, better: Decimal
) -> None:
    earning = Earning(LINK, "P", "M3", 1, Decimal("1000000"), receipts, Decimal("0.05"))
    deductions = [
        Deduction(LINK, amount, red, {"clause": "301"}) for amount, red in costs if amount
    ]
    kept = deductions[1:]
    first = settle(DEFAULT_FEE_SCHEME, Month(factor, "B", LINK, [earning], deductions))
    fair = settle(DEFAULT_FEE_SCHEME, Month(better, "A", LINK, [earning], kept))
    made = corrected(
        DEFAULT_FEE_SCHEME, first, factor=better, grade="A", score=LINK, deductions=kept
    )
    assert made == fair
    same = corrected(
        DEFAULT_FEE_SCHEME, first, factor=factor, grade="B", score=LINK, deductions=deductions
    )
    assert same == first
