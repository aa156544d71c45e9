"""Excellent cases: recommended by the vendor, selected by the general department (A7)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.excellence.models import ExcellentCase
from portal.excellence.queries import rewards
from portal.excellence.rules import check_period
from portal.kernel import clock
from portal.kernel.access import Role
from portal.kernel.errors import Invalid
from tests.conftest import Portal
from tests.factories.cases import add_cases
from tests.factories.world import MOMENT


@pytest.fixture(autouse=True)
def tuesday() -> Iterator[None]:
    with clock.frozen(MOMENT):
        yield


def test_a7_recommended_selected_rewarded(portal: Portal) -> None:
    world = portal.world
    vendor = world.vendors[0]
    with portal.session(world.scope) as session:
        add_cases(session, world, vendor, 2)
        session.commit()
    manager = portal.client(vendor.email(Role.MANAGER))
    office = portal.client(world.email(Role.GENERAL_DEPARTMENT))
    assert manager.get("/excellent-cases/new").status_code == 200
    sent = {"case_no": f"{vendor.code}-00001", "period": "2026-11", "why": "耐心沟通，方案可行。"}
    assert manager.post("/excellent-cases/new", data=sent).status_code == 302
    again = manager.post("/excellent-cases/new", data=sent)
    assert again.status_code == 409, "the same case once a month"
    assert "耐心沟通" in again.text
    unknown = manager.post("/excellent-cases/new", data={**sent, "case_no": "RX-00001"})
    assert unknown.status_code == 422
    other = {**sent, "case_no": f"{vendor.code}-00002"}
    assert manager.post("/excellent-cases/new", data=other).status_code == 302
    with portal.session(world.scope) as session:
        rows = session.scalars(sa.select(ExcellentCase).order_by(ExcellentCase.case_no)).all()
        first, second = rows
        assert rewards(session, vendor.id, "2026-11") == ()
    choose = {"version": 1, "decision": "select"}
    path = f"/excellent-cases/{first.id}/decide"
    assert manager.post(path, data=choose).status_code == 404
    assert office.post(path, data=choose).status_code == 302
    assert office.post(path, data=choose).status_code == 409, "a double click"
    path = f"/excellent-cases/{second.id}/decide"
    assert office.post(path, data={"version": 1, "decision": "decline"}).status_code == 422
    declined = {"version": 1, "decision": "decline", "note": "与上月案例相近。"}
    assert office.post(path, data=declined).status_code == 302
    with portal.session(world.scope) as session:
        found = rewards(session, vendor.id, "2026-11")
        assert [(one.case_no, one.reward) for one in found] == [
            (f"{vendor.code}-00001", Decimal("200.00"))
        ]
        assert rewards(session, vendor.id, "2026-10") == ()
        assert rewards(session, world.vendors[1].id, "2026-11") == ()
    assert "200.00" in manager.get("/excellent-cases/").text
    assert "与上月案例相近。" in manager.get("/excellent-cases/").text
    stranger = portal.client(world.vendors[1].email(Role.MANAGER))
    assert f"{vendor.code}-0000" not in stranger.get("/excellent-cases/").text


def test_a7_the_month_or_the_one_before() -> None:
    assert check_period("2025-12", date(2026, 1, 5)) == "2025-12"
    assert check_period("2026-01", date(2026, 1, 5)) == "2026-01"
    assert check_period("2026-09", date(2026, 10, 5)) == "2026-09"
    with pytest.raises(Invalid):
        check_period("2025-11", date(2026, 1, 5))
