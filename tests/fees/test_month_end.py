"""A month's end as finance lives it: receipts and findings become a score, a factor, a payable."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.cases.models import Case
from portal.fees.models import Statement
from portal.fees.service import confirm, prepare
from portal.kernel import clock
from portal.kernel.access import Role
from portal.kernel.errors import Conflict
from portal.receipts.models import Receipt
from portal.scoring.models import Score
from portal.scoring.service import compute, issue
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.cases import add_cases
from tests.factories.receipts import record_receipt
from tests.reading import sheet_rows

IN_OCTOBER = datetime(2026, 10, 9, 2, 0, tzinfo=UTC)
AFTERWARDS = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
PERIOD = "2026-10"


def _cases(portal: Portal, count: int = 4) -> list[UUID]:
    """Cases in hand through October, all M3, with 2,500,000.00 entrusted each."""
    vendor = portal.world.vendors[0]
    with portal.session(portal.world.scope) as session:
        ids = add_cases(session, portal.world, vendor, count)
        session.execute(
            sa.update(Case)
            .where(Case.id.in_(ids))
            .values(
                age_band="M3",
                amount=Decimal("2500000.00"),
                principal=Decimal("2500000.00"),
                interest=Decimal("0.00"),
                fees=Decimal("0.00"),
                entrusted_on=date(2026, 9, 1),
                due_back_on=date(2027, 2, 28),
            )
        )
        session.commit()
    return ids


def _receive(
    portal: Portal, case_id: UUID, serial: str, day: date, amount: str, reverses: str | None = None
) -> None:
    with portal.session(portal.world.scope) as session:
        case = session.get_one(Case, (portal.world.vendors[0].id, case_id))
        record_receipt(session, case, serial, day, amount, reverses)


def _score(portal: Portal) -> Score:
    vendor, actor = portal.world.vendors[0], portal.world.actor(Role.VENDOR_MANAGER)
    with portal.session(portal.world.scope) as session:
        row = compute(session, tenant_id=vendor.id, period=PERIOD, actor=actor)
        issue(session, row.id, actor=actor)
        session.commit()
        return row


def _prepare(portal: Portal, period: str = PERIOD) -> Statement:
    vendor = portal.world.vendors[0]
    with portal.session(portal.world.scope) as session:
        (row,) = prepare(
            session,
            tenant_id=vendor.id,
            period=period,
            actor=portal.world.actor(Role.VENDOR_MANAGER),
        )
        session.commit()
        return row


def test_receipts_on_target_pay_the_commission(portal: Portal) -> None:
    """500,000.00 of M3 at 12 %: 60,000.00. The target (5 % of 10,000,000.00) is just met: × 1.10.

    Nothing but recovery was measured, so there is no grade and the factor is 1.00.
    """
    with clock.frozen(IN_OCTOBER):
        ids = _cases(portal)
        for number, case_id in enumerate(ids):
            _receive(portal, case_id, f"S{number}", date(2026, 10, 9), "125000.00")
    with clock.frozen(AFTERWARDS):
        score = _score(portal)
        assert (score.grade, score.factor) == (None, Decimal("1.00"))
        row = _prepare(portal)
        assert row.commission == Decimal("60000.00")
        assert row.payable == Decimal("66000.00")
        assert row.net + row.tax == row.payable
        assert row.net == Decimal("62264.15")


def test_a_later_reversal_takes_the_commission_back_at_its_own_terms(portal: Portal) -> None:
    """退佣: October's 125,000.00 reversed in November costs 125,000 × 12 % × 1.10 × 1.00."""
    vendor = portal.world.vendors[0]
    with clock.frozen(IN_OCTOBER):
        ids = _cases(portal)
        for number, case_id in enumerate(ids):
            _receive(portal, case_id, f"S{number}", date(2026, 10, 9), "125000.00")
    with clock.frozen(AFTERWARDS):
        _score(portal)
        row = _prepare(portal)
        with portal.session(portal.world.scope) as session:
            confirm(session, row.id, actor=portal.world.actor(Role.FINANCE))
            session.commit()
        _receive(portal, ids[0], "R0", date(2026, 11, 2), "-125000.00", reverses="S0")
    with clock.frozen(datetime(2026, 12, 2, 2, 0, tzinfo=UTC)):
        actor = portal.world.actor(Role.VENDOR_MANAGER)
        with portal.session(portal.world.scope) as session:
            score = compute(session, tenant_id=vendor.id, period="2026-11", actor=actor)
            issue(session, score.id, actor=actor)
            session.commit()
        november = _prepare(portal, "2026-11")
    assert november.commission == 0
    assert november.payable == Decimal("-16500.00")


def _october(portal: Portal) -> None:
    """500,000.00 received in October on one case."""
    with clock.frozen(IN_OCTOBER):
        ids = _cases(portal)
        _receive(portal, ids[0], "S0", date(2026, 10, 9), "500000.00")


def test_the_pages_of_a_score(portal: Portal) -> None:
    """Computed for all by a job, looked at, issued; the vendor sees its own from then on."""
    vendor = portal.world.vendors[0]
    _october(portal)
    with clock.frozen(AFTERWARDS):
        manager = portal.client(portal.world.email(Role.VENDOR_MANAGER))
        theirs = portal.client(vendor.email(Role.MANAGER))
        assert manager.post("/scores/compute", data={"period": "2027-01"}).status_code == 422
        assert manager.post("/scores/compute", data={"period": PERIOD}).status_code == 302
        portal.work()
        with portal.session(portal.world.scope) as session:
            scores = {row.tenant_id: row for row in session.scalars(sa.select(Score))}
        score = scores[vendor.id]
        assert len(scores) == 3
        assert theirs.get(f"/scores/{score.id}").status_code == 404
        assert "2026-10" in manager.get(f"/scores/{score.id}").text
        stale = manager.post(f"/scores/{score.id}/issue", data={"version": 99})
        assert stale.status_code == 409 and "内容已被他人修改" in stale.text
        done = manager.post(f"/scores/{score.id}/issue", data={"version": score.version})
        assert done.status_code == 302
        assert theirs.get(f"/scores/{score.id}").status_code == 200
        assert "KH-HC-2026-0001" in theirs.get("/papers").text


def test_a_score_is_issued_when_its_month_is_over(portal: Portal) -> None:
    """Before that the page says so and offers no button."""
    _october(portal)
    issued = 'action="/scores/{}/issue"'
    for moment, offered in ((IN_OCTOBER, False), (AFTERWARDS, True)):
        with clock.frozen(moment):
            manager = portal.client(portal.world.email(Role.VENDOR_MANAGER))
            with portal.session(portal.world.scope) as session:
                actor = portal.world.actor(Role.VENDOR_MANAGER)
                vendor = portal.world.vendors[0]
                row = compute(session, tenant_id=vendor.id, period=PERIOD, actor=actor)
                session.commit()
                page = manager.get(f"/scores/{row.id}").text
            assert (issued.format(row.id) in page) is offered
            assert ("该月尚未结束" in page) is not offered


def test_the_pages_of_a_statement(portal: Portal) -> None:
    """Prepared by one and confirmed by another, exported, seen by its vendor and no other."""
    vendor = portal.world.vendors[0]
    _october(portal)
    with clock.frozen(AFTERWARDS):
        _score(portal)
        with portal.session(portal.world.scope) as session:
            (case_id,) = session.scalars(sa.select(Receipt.case_id))
        _receive(portal, case_id, "S1", date(2026, 11, 2), "1.00")
        manager = portal.client(portal.world.email(Role.VENDOR_MANAGER))
        finance = portal.client(portal.world.email(Role.FINANCE))
        theirs = portal.client(vendor.email(Role.MANAGER))
        assert manager.post("/statements/prepare", data={"period": PERIOD}).status_code == 302
        portal.work()
        with portal.session(portal.world.scope) as session:
            (row,) = session.scalars(sa.select(Statement)).all()
        assert theirs.get(f"/statements/{row.id}").status_code == 404
        page = finance.get(f"/statements/{row.id}").text
        assert "人民币陆万陆仟元整" in page and "目标达成率 100.0%" in page
        listed = finance.get("/statements").text
        assert re.search(r'data-label="阶梯系数">1\.10<', listed), "60,000.00 × 1.10 × 1.00"
        (behind,) = set(re.findall(r'href="(/receipts/[^"]+)"', page))
        listed = finance.get(unescape(behind)).text
        assert ">S0<" in listed and ">S1<" not in listed, "only that month's receipts"
        assert manager.post(f"/statements/{row.id}/confirm").status_code == 403
        version = {"version": row.version}
        done = finance.post(f"/statements/{row.id}/confirm", data=version)
        assert done.status_code == 302
        again = finance.post(f"/statements/{row.id}/confirm", data={"version": row.version + 1})
        assert again.status_code == 409 and "现在不能这样做" in again.text
        portal.work()
        assert "FY-HC-2026-0001" in theirs.get(f"/statements/{row.id}").text
        lines = sheet_rows(theirs.get(f"/statements/{row.id}/xlsx").data)
        values = [value for line in lines for value in line]
        assert 66000 in values
        assert "人民币陆万陆仟元整" in values
        other = portal.client(portal.world.vendors[1].email(Role.MANAGER))
        assert other.get(f"/statements/{row.id}").status_code == 404
        assert "FY-HC-2026-0001" in theirs.get("/papers").text


def test_what_is_issued_stands(portal: Portal) -> None:
    """An issued score is not computed anew; without one there is no statement; the preparer does
    not confirm."""
    vendor, actor = portal.world.vendors[0], portal.world.actor(Role.VENDOR_MANAGER)
    with clock.frozen(IN_OCTOBER):
        ids = _cases(portal)
        _receive(portal, ids[0], "S0", date(2026, 10, 9), "500000.00")
        with portal.session(portal.world.scope) as session:
            row = compute(session, tenant_id=vendor.id, period=PERIOD, actor=actor)
            with pytest.raises(Conflict, match="month has not ended"):
                issue(session, row.id, actor=actor)
            with pytest.raises(Conflict, match="not issued yet"):
                prepare(session, tenant_id=vendor.id, period=PERIOD, actor=actor)
            session.commit()
    with clock.frozen(AFTERWARDS):
        score = _score(portal)
        with (
            portal.session(portal.world.scope) as session,
            pytest.raises(Conflict, match="issued and stands"),
        ):
            compute(session, tenant_id=vendor.id, period=PERIOD, actor=actor)
        statement = _prepare(portal)
        with (
            portal.session(portal.world.scope) as session,
            pytest.raises(Conflict, match="somebody else"),
        ):
            confirm(session, statement.id, actor=actor)
        with portal.session(Scope.vendor(vendor.id)) as session:
            assert session.scalars(sa.select(Score.id)).all() == [score.id]
            assert session.scalars(sa.select(Statement.id)).all() == []
