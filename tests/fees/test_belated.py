"""Months that are not plain: what was settled stays as paid, and what came in late is paid once."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.audits.assessments.service import confirm_form
from portal.cases.models import Case
from portal.fees.models import Statement
from portal.fees.service import confirm, prepare
from portal.kernel import clock
from portal.kernel.access import Role
from portal.kernel.errors import Conflict
from portal.notices.models import Document
from portal.scoring.service import compute, issue
from portal.vendors.models import Contract
from tests.conftest import Portal
from tests.factories.audits import open_audit, prepared
from tests.factories.cases import add_cases
from tests.factories.receipts import record_receipt

OCTOBER = datetime(2026, 10, 9, 2, 0, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 2, 2, 0, tzinfo=UTC)
JANUARY = datetime(2027, 1, 5, 2, 0, tzinfo=UTC)


def _case(portal: Portal, **changed: Any) -> UUID:
    """A case of M3 in hand from September on, 2,000,000.00 entrusted: 5 % are October's target."""
    with portal.session(portal.world.scope) as session:
        (case_id,) = add_cases(session, portal.world, portal.world.vendors[0], 1)
        values = {
            "age_band": "M3",
            "amount": Decimal("2000000.00"),
            "principal": Decimal("2000000.00"),
            "interest": Decimal(0),
            "fees": Decimal(0),
            "entrusted_on": date(2026, 9, 1),
            "due_back_on": date(2027, 2, 28),
            **changed,
        }
        session.execute(sa.update(Case).where(Case.id == case_id).values(values))
        session.commit()
    return case_id


def _receive(
    portal: Portal, case_id: UUID, serial: str, day: date, amount: str, reverses: str | None = None
) -> None:
    with portal.session(portal.world.scope) as session:
        case = session.get_one(Case, (portal.world.vendors[0].id, case_id))
        record_receipt(session, case, serial, day, amount, reverses)


def _prepared(portal: Portal, period: str) -> list[Statement]:
    """The month's statements, its score issued first where it is not yet."""
    vendor, actor = portal.world.vendors[0], portal.world.actor(Role.VENDOR_MANAGER)
    with portal.session(portal.world.scope) as session:
        try:
            score = compute(session, tenant_id=vendor.id, period=period, actor=actor)
            issue(session, score.id, actor=actor)
        except Conflict:
            session.rollback()
        rows = prepare(session, tenant_id=vendor.id, period=period, actor=actor)
        session.commit()
        return rows


def _confirm(portal: Portal, row: Statement) -> dict[str, Any]:
    """Confirm a statement; the content of its paper."""
    with portal.session(portal.world.scope) as session:
        done = confirm(session, row.id, actor=portal.world.actor(Role.FINANCE))
        document = session.get_one(Document, (done.tenant_id, done.document_id))
        session.commit()
        return dict(document.content)


def _settled(portal: Portal, period: str) -> Statement:
    """Prepare and confirm the month's one statement."""
    (row,) = _prepared(portal, period)
    _confirm(portal, row)
    return row


def _reasons(row: Statement) -> list[tuple[str, str]]:
    """Kind and amount of the lines beyond commission, tier and factor."""
    plain = ("commission", "tier", "factor")
    return [(one["kind"], one["amount"]) for one in row.result["lines"] if one["kind"] not in plain]


def test_a_reversal_takes_back_what_was_paid_whatever_the_terms_are_now(portal: Portal) -> None:
    """12 % were paid in October. At 20 % from November on, the reversal still costs the 12 %."""
    with clock.frozen(OCTOBER):
        case_id = _case(portal)
        _receive(portal, case_id, "S0", date(2026, 10, 9), "100000.00")
    with clock.frozen(NOVEMBER):
        october = _settled(portal, "2026-10")
        assert october.payable == Decimal("13200.00"), "100,000 × 12 % × 1.10"
        terms = deepcopy(october.result["terms"])
        (band,) = (one for one in terms["bands"] if one["age"] == "M3")
        band["rate"] = "0.20"
        with portal.session(portal.world.scope) as session:
            contract = portal.world.vendors[0].contract_id
            session.execute(
                sa.update(Contract).where(Contract.id == contract).values(fee_terms=terms)
            )
            session.commit()
        _receive(portal, case_id, "R0", date(2026, 11, 2), "-100000.00", "S0")
    with clock.frozen(DECEMBER):
        november = _settled(portal, "2026-11")
    assert november.payable == Decimal("-13200.00")


def test_what_comes_in_after_the_confirmation_is_on_the_next_statement_once(
    portal: Portal,
) -> None:
    """October is closed. Then come a receipt of October, one taken back in October, and a reversal
    of October by November's day: November pays and takes them back by October's terms, December
    knows nothing of them."""
    with clock.frozen(OCTOBER):
        case_id = _case(portal)
        _receive(portal, case_id, "S0", date(2026, 10, 9), "100000.00")
    with clock.frozen(NOVEMBER):
        assert _settled(portal, "2026-10").payable == Decimal("13200.00")
    with clock.frozen(NOVEMBER + timedelta(hours=1)):
        _receive(portal, case_id, "S1", date(2026, 10, 30), "1000.05")
        _receive(portal, case_id, "R1", date(2026, 10, 31), "-500.00", "S0")
        _receive(portal, case_id, "R2", date(2026, 11, 1), "-200.00", "S1")
    with clock.frozen(DECEMBER):
        november = _settled(portal, "2026-11")
        assert _reasons(november) == [
            ("reversal", "-66.00"),  # 500 × 12 % × 1.10
            ("reversal", "-26.40"),
            ("late", "132.01"),  # 132.0066
        ]
        assert november.payable == Decimal("39.61")
        assert _prepared(portal, "2026-11") == [], "confirmed, it stays"
    with clock.frozen(JANUARY):
        assert _reasons(_settled(portal, "2026-12")) == []


def test_a_reversal_is_not_lost_where_the_later_month_was_confirmed_first(portal: Portal) -> None:
    """November is confirmed before October, whose receipt it could not take back yet. October then
    pays it, and the next statement takes it back."""
    with clock.frozen(OCTOBER):
        case_id = _case(portal)
        _receive(portal, case_id, "S0", date(2026, 10, 9), "100000.00")
    with clock.frozen(NOVEMBER):
        _receive(portal, case_id, "R0", date(2026, 11, 2), "-100000.00", "S0")
    with clock.frozen(DECEMBER):
        assert _settled(portal, "2026-11").payable == 0
        assert _settled(portal, "2026-10").payable == Decimal("13200.00")
    with clock.frozen(JANUARY):
        assert _settled(portal, "2026-12").payable == Decimal("-13200.00")


def test_what_changed_since_it_was_prepared_is_not_confirmed(portal: Portal) -> None:
    """Receipts that came in meanwhile would be on no statement; new terms on none that was seen."""
    with clock.frozen(OCTOBER):
        case_id = _case(portal)
        _receive(portal, case_id, "S0", date(2026, 10, 9), "100000.00")
    with clock.frozen(NOVEMBER):
        (row,) = _prepared(portal, "2026-10")
        _receive(portal, case_id, "S1", date(2026, 10, 9), "5000.00")
        page = portal.client(portal.world.email(Role.FINANCE)).post(
            f"/statements/{row.id}/confirm", data={"version": row.version}
        )
        assert page.status_code == 409
        assert "该结算单编制后，所依据的数据已有变化" in page.text
        (row,) = _prepared(portal, "2026-10")
        assert _confirm(portal, row)["commission"] == "12600.00"


def test_a_contract_that_has_ended_is_settled_to_the_last_receipt(portal: Portal) -> None:
    """Nothing came in: no statement. A receipt within the entrusting period: there is one."""
    with clock.frozen(OCTOBER):
        case_id = _case(portal)
        with portal.session(portal.world.scope) as session:
            session.execute(
                sa.update(Contract)
                .where(Contract.id == portal.world.vendors[0].contract_id)
                .values(ends_on=date(2026, 9, 30))
            )
            session.commit()
    with clock.frozen(NOVEMBER):
        assert _prepared(portal, "2026-10") == []
        _receive(portal, case_id, "S0", date(2026, 10, 9), "100000.00")
        assert _settled(portal, "2026-10").commission == Decimal("12000.00")


def test_money_on_a_case_that_left_before_the_month_is_paid(portal: Portal) -> None:
    """Settled on 30 September, credited on 9 October, within the entrusting period: a line of its
    own without accounts, and no rate of recovery on the paper."""
    with clock.frozen(OCTOBER):
        case_id = _case(portal, closed_on=date(2026, 9, 30), status="settled", age_band="M1")
        _receive(portal, case_id, "S0", date(2026, 10, 9), "1000.00")
    with clock.frozen(NOVEMBER):
        (row,) = _prepared(portal, "2026-10")
        paper = _confirm(portal, row)
    assert (row.payable, row.result["attainment"]) == (Decimal("40.00"), None)
    (band,) = paper["bands"]
    assert (band["accounts"], band["commission"], "recovery" in band) == (0, "40.00", False)


@pytest.mark.parametrize("held", [0, 1])
def test_a_month_without_money_says_so_on_its_paper(portal: Portal, held: int) -> None:
    """Nothing was held: no band and no target, and the paper can be made. Held and nothing
    received: 0 % of the target, never 100."""
    if held:
        with clock.frozen(OCTOBER):
            _case(portal)
    with clock.frozen(NOVEMBER):
        (row,) = _prepared(portal, "2026-10")
        paper = _confirm(portal, row)
        portal.work()
        text = portal.client(portal.world.email(Role.FINANCE)).get(f"/statements/{row.id}").text
        with portal.session(portal.world.scope) as session:
            (document,) = session.scalars(
                sa.select(Document).where(Document.template == "fee_statement")
            )
            assert document.file_id is not None, "it was rendered"
    assert (len(paper["bands"]), paper["tier"].get("attainment")) == (held, "0" if held else None)
    assert "人民币零元整" in text


def test_a_score_that_misses_a_finding_is_not_issued(portal: Portal) -> None:
    """Computed in October, before a form of October was confirmed: computed again, it is issued."""
    world, vendor = portal.world, portal.world.vendors[0]
    actor = world.actor(Role.VENDOR_MANAGER)
    with clock.frozen(OCTOBER), portal.session(world.scope) as session:
        audit = open_audit(session, world, vendor)
        score_id = compute(session, tenant_id=vendor.id, period="2026-10", actor=actor).id
        form = prepared(session, audit, occurred_on=date(2026, 10, 8))
        confirm_form(session, form, actor=audit.head)
        session.commit()
    with clock.frozen(NOVEMBER), portal.session(world.scope) as session:
        with pytest.raises(Conflict, match="What this score is made of has changed"):
            issue(session, score_id, actor=actor)
        compute(session, tenant_id=vendor.id, period="2026-10", actor=actor)
        assert issue(session, score_id, actor=actor).number == "KH-HC-2026-0001"
