"""The list, exact search, the case page, status, and the reads that other slices stand on."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.cases import draw, in_hand, listing, queries
from portal.cases.listing import CaseFilter
from portal.cases.models import Case, CaseStatusChange
from portal.cases.rules import CaseStatus
from portal.cases.service import change_status, get_row
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.cases import add_cases
from tests.factories.world import MOMENT, VendorWorld
from tests.reading import sheet_rows


@pytest.fixture
def vendors(portal: Portal) -> list[VendorWorld]:
    with clock.frozen(MOMENT):
        for vendor, number in zip(portal.world.vendors, (120, 60, 3), strict=True):
            with portal.session(portal.world.scope) as session:
                add_cases(session, portal.world, vendor, number)
    return portal.world.vendors


def case_ids(portal: Portal, vendor: VendorWorld) -> list[str]:
    with portal.session(portal.world.scope) as session:
        statement = sa.select(Case.id).where(Case.tenant_id == vendor.id).order_by(Case.case_no)
        return [str(case_id) for case_id in session.scalars(statement)]


@pytest.mark.parametrize("sort", sorted(listing.SORTS))
def test_every_sort_pages_through_all_cases_once(
    portal: Portal, vendors: list[VendorWorld], sort: str
) -> None:
    for scope, total in ((portal.world.scope, 183), (Scope.vendor(vendors[0].id), 120)):
        with portal.session(scope) as session:
            seen: list[listing.CaseLine] = []
            cursor = None
            while True:
                page = listing.list_cases(session, CaseFilter(), sort, cursor)
                seen += page.items
                cursor = page.next
                if cursor is None:
                    break
            by = {"entrusted": "entrusted_on", "case_no": "case_no", "amount": "amount"}
            keys = [(_value(getattr(row, by[sort.removeprefix("-")])), row.id) for row in seen]
            assert len({row.id for row in seen}) == len(seen) == total
            assert keys == sorted(keys, reverse=sort.startswith("-"))


def _value(cell: str) -> str | Decimal:
    return Decimal(cell.replace(",", "")) if re.fullmatch(r"[\d,]+\.\d\d", cell) else cell


def test_a_vendor_lists_and_finds_its_own_only(portal: Portal, vendors: list[VendorWorld]) -> None:
    hc, rx, _zy = vendors
    mine = portal.client(rx.email(Role.OFFICE))
    for path in ("/cases/", f"/cases/?vendor={hc.id}", "/cases/?q=HC-", "/cases/?q=RX"):
        text = mine.get(path).text
        assert "HC-0" not in text and hc.short_name not in text
    assert mine.get(f"/cases/{case_ids(portal, hc)[0]}").status_code == 404
    # The same phone number stands at every vendor: the company finds all, a vendor its own.
    found = mine.post("/cases/find", data={"number": "138 0000 0002"}).text
    assert re.findall(r"(?:HC|RX|ZY)-\d{5}", found) == ["RX-00002"]
    company = portal.client(portal.world.email(Role.AUDITOR))
    found = company.post("/cases/find", data={"number": "138-0000-0002"}).text
    assert set(re.findall(r"(?:HC|RX|ZY)-\d{5}", found)) == {"HC-00002", "RX-00002", "ZY-00002"}
    found = company.post("/cases/find", data={"number": "622202" + f"{7:013d}"}).text
    assert set(re.findall(r"(?:HC|RX|ZY)-\d{5}", found)) == {"HC-00007", "RX-00007"}
    assert company.post("/cases/find", data={"number": "12"}).status_code == 422


def test_filters_meet_and_the_export_holds_what_the_list_shows(
    portal: Portal, vendors: list[VendorWorld], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = portal.client(portal.world.email(Role.FINANCE))
    query = f"vendor={vendors[0].id}&band=M2&project={vendors[0].project_id}&q=hc-000&sort=case_no"
    shown = re.findall(r">(HC-\d{5})<", client.get(f"/cases/?{query}").text)
    rows = sheet_rows(client.get(f"/cases/export.xlsx?{query}").data, 2)
    assert shown == [f"HC-{n:05d}" for n in range(1, 100) if n % 7 == 1]
    assert [row[1] for row in rows] == shown
    assert rows[0][4:7] == ("张**", "622202*********0001", 1061)
    monkeypatch.setattr(listing, "EXPORT_ROWS", 100)
    answer = client.get("/cases/export.xlsx", follow_redirects=True)
    assert answer.request.path == "/cases/" and "100" in answer.text


def test_personal_data_is_masked_until_asked_for_and_the_look_is_recorded(
    portal: Portal, vendors: list[VendorWorld]
) -> None:
    case_id = case_ids(portal, vendors[1])[4]
    leader = portal.client(vendors[1].email(Role.TEAM_LEADER))
    masked = leader.get(f"/cases/{case_id}").text
    assert "张**" in masked and "138****0005" in masked
    for secret in ("张例5", "13800000005", f"622202{5:013d}"):
        assert secret not in masked
    answer = leader.post(f"/cases/{case_id}/reveal")
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    for secret in ("张例5", "13800000005", f"622202{5:013d}"):
        assert secret in answer.text
    with portal.session(portal.world.scope) as session:
        entry = session.scalars(
            sa.select(JournalEntry).where(JournalEntry.action == "cases.personal.revealed")
        ).one()
        assert (entry.tenant_id, str(entry.subject_id)) == (vendors[1].id, case_id)
        assert entry.data == {}
    for email in (vendors[1].email(Role.AGENT), vendors[0].email(Role.MANAGER)):
        refused = portal.client(email).post(f"/cases/{case_id}/reveal")
        assert refused.status_code in (403, 404) and "13800000005" not in refused.text


def test_status_changes_by_the_table_with_a_reason_and_not_on_a_stale_page(
    portal: Portal, vendors: list[VendorWorld]
) -> None:
    case_id = case_ids(portal, vendors[0])[0]
    client = portal.client(portal.world.email(Role.VENDOR_MANAGER))
    url = f"/cases/{case_id}/status"
    form = {"version": "1", "status": "suspended", "reason": "客户投诉处理中"}
    assert client.post(url, data=form | {"reason": ""}).status_code == 422
    assert client.post(url, data=form).status_code == 302
    stale = client.post(url, data=form | {"status": "settled", "reason": "已还清"})
    assert stale.status_code == 409 and "已还清" in stale.text
    assert client.post(url, data=form | {"version": "2", "status": "kept"}).status_code == 422
    assert client.post(url, data=form | {"version": "2", "status": "returned"}).status_code == 302
    seen = portal.client(vendors[0].email(Role.MANAGER)).get(f"/cases/{case_id}").text
    assert "客户投诉处理中" in seen
    with portal.session(portal.world.scope) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(CaseStatusChange)) == 2
        assert (
            session.scalars(sa.select(Case).where(Case.closed_on.is_not(None))).one().version == 3
        )
    vendor = portal.client(vendors[0].email(Role.MANAGER))
    assert vendor.post(url, data=form).status_code in (403, 404)


def test_populations_and_entrusted_sums_count_what_is_held(
    portal: Portal, vendors: list[VendorWorld]
) -> None:
    actor = portal.world.actor(Role.VENDOR_MANAGER)
    hc = vendors[0]
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        first, second, third = session.scalars(
            sa.select(Case.id).where(Case.tenant_id == hc.id).order_by(Case.case_no).limit(3)
        )
        for case_id, status in (
            (first, CaseStatus.SUSPENDED),
            (second, CaseStatus.SETTLED),
            (third, CaseStatus.WITHDRAWN),
        ):
            change_status(session, get_row(session, case_id), status, reason="核对", actor=actor)
        session.commit()
    with portal.session(portal.world.scope) as session:
        packed = dict(in_hand.in_hand_packed(session))
        ids = dict(in_hand.in_hand(session))
        assert in_hand.in_hand_volume(session) == {v.id: len(ids[v.id]) for v in vendors}
        assert len(ids[hc.id]) == 118 and first in ids[hc.id] and second not in ids[hc.id]
        for vendor in vendors:
            assert packed[vendor.id] == draw.canonical(ids[vendor.id])
        whole = queries.entrusted(session, hc.id, "2026-11")
        assert sum(part.cases for part in whole) == 120
        total = session.scalar(sa.select(sa.func.sum(Case.amount)).where(Case.tenant_id == hc.id))
        assert sum((part.amount for part in whole), Decimal(0)) == total
        assert sum(part.cases for part in queries.entrusted(session, hc.id, "2026-12")) == 118
        assert queries.entrusted(session, hc.id, "2026-09") == ()
        keys = queries.case_index(session, hc.id, [first, second])
        assert [key.case_no for key in keys] == ["HC-00001", "HC-00002"]
        assert keys[0].phone_index == queries.phone_index(session, hc.id, "+86 138-0000-0001")
        assert {key.tenant_id for key in queries.by_numbers(session, ["RX-00001", "HC-00001"])} == {
            vendors[0].id,
            vendors[1].id,
        }
