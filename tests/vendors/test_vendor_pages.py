"""Vendors as the company sees them, and a vendor as it sees itself."""

from __future__ import annotations

from portal.kernel.access import Role
from tests.conftest import Portal


def test_each_side_sees_its_own(portal: Portal) -> None:
    first, second = portal.world.vendors[:2]
    company = portal.client(portal.world.email(Role.VENDOR_MANAGER))
    listed = company.get("/vendors").text
    assert first.name in listed
    assert second.name in listed
    page = company.get(f"/vendors/{first.id}").text
    assert "郑组长" in page
    assert "HT-HC-2026-01" in page
    assert company.get(f"/vendors/{portal.world.company_id}").status_code == 404

    theirs = portal.client(first.email(Role.MANAGER))
    mine = theirs.get("/people").text
    assert "HC003" in mine
    assert "RX003" not in mine
    assert second.name not in mine
    assert theirs.get("/vendors").status_code == 404
    assert theirs.get(f"/vendors/{first.id}").status_code == 404
