"""What changes a request after its issue: extensions, cancelling, replacing; late stays late."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.app.reminders import extensions_asked
from portal.calendar.service import load
from portal.deadlines.models import Deadline, Extension
from portal.deadlines.queries import rounds_of
from portal.deadlines.service import sweep
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.kernel.clock import BEIJING
from portal.kernel.errors import Conflict, Invalid
from portal.materials import changes, extensions, service
from portal.materials.models import MaterialRequest, RequestItem
from portal.materials.queries import CLOCK, request_counts, score_facts
from portal.materials.rules import Wanted
from portal.notifications.models import Notification
from tenants.rows import new_id
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.cases import add_cases
from tests.factories.materials import CALL, Desk, add_request
from tests.factories.world import MOMENT
from tests.files import samples

DUE = datetime(2026, 11, 5, 18, 0, tzinfo=BEIJING)
FRIDAY = date(2026, 11, 6)
CALLS = (Wanted(CALL),)


@pytest.fixture
def request_id(portal: Portal) -> UUID:
    """A call-up of one recording each of three cases, issued on Tuesday at ten."""
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        return add_request(session, portal.world, portal.world.vendors[0], wanted=CALLS).id


def _row(portal: Portal, request_id: UUID) -> MaterialRequest:
    with portal.session(portal.world.scope) as session:
        return session.scalars(
            sa.select(MaterialRequest).where(MaterialRequest.id == request_id)
        ).one()


def _clocks(portal: Portal, request_id: UUID) -> list[Deadline]:
    with portal.session(portal.world.scope) as session:
        return rounds_of(session, portal.world.vendors[0].id, request_id, CLOCK)


def _items(portal: Portal, request_id: UUID) -> list[RequestItem]:
    with portal.session(portal.world.scope) as session:
        return list(
            session.scalars(
                sa.select(RequestItem)
                .where(RequestItem.request_id == request_id)
                .order_by(RequestItem.case_no)
            )
        )


def _deliver(portal: Portal, request_id: UUID, folder: Path, *cases: int) -> None:
    office = portal.client(portal.world.vendors[0].email(Role.OFFICE))
    desk = Desk(office, request_id)
    for number in cases:
        body = samples.pcm(folder / f"{number}.wav", 1 + number / 10).read_bytes()
        desk.deliver(f"HC-{number:05d}_通话.wav", body)


def _hand_in(portal: Portal, request_id: UUID) -> None:
    office = portal.client(portal.world.vendors[0].email(Role.OFFICE))
    version = _row(portal, request_id).version
    answer = office.post(f"/requests/{request_id}/hand-in", data={"version": version})
    assert answer.status_code == 302


def _act(portal: Portal, request_id: UUID, role: Role, path: str, **data: object) -> str:
    """Post as a person of the company, or (a vendor's role) of the first vendor; the page after."""
    world = portal.world
    email = world.email(role) if role in world.people else world.vendors[0].email(role)
    answer = portal.client(email).post(
        f"/requests/{request_id}{path}", data=data, follow_redirects=True
    )
    assert answer.status_code in (200, 422), answer.status_code
    return answer.text


def test_an_extension_is_asked_and_granted_with_its_ground(
    portal: Portal, request_id: UUID
) -> None:
    """Due Thursday 18:00; asked until Sunday (refused), until Friday: granted, with the ground on
    the clock, the journal and both pages; a second ask waits for the first."""
    world, vendor = portal.world, portal.world.vendors[0]
    with clock.frozen(MOMENT + timedelta(hours=1)):
        ask = {"ask-reason": "录音服务器故障,已报修"}
        page = _act(
            portal, request_id, Role.OFFICE, "/extensions", **ask, **{"ask-wanted": "2026-11-08"}
        )
        assert "2026-11-08 is not a working day" in page or "2026-11-08" in page
        assert "录音服务器故障" in page, "nothing typed is lost"
        assert _clocks(portal, request_id)[0].due_at == DUE
        _act(portal, request_id, Role.OFFICE, "/extensions", **ask, **{"ask-wanted": str(FRIDAY)})
        with (
            portal.session(Scope.vendor(vendor.id)) as session,
            pytest.raises(Conflict, match="asked for already"),
        ):
            extensions.ask(
                session,
                request_id,
                wanted=FRIDAY,
                reason="again",
                actor=vendor.actor(Role.OFFICE, world.company_id),
            )
        with portal.session(world.scope) as session:
            system = system_actor(world.company_id)
            assert [extensions_asked(session, actor=system) for _ in range(2)] == [1, 0]
            session.commit()
            told = session.scalars(
                sa.select(Notification).where(Notification.tenant_id == world.company_id)
            ).one()
            assert told.template == "An extension of %(number)s is asked for."
            asked = session.scalars(sa.select(Extension)).one()
        assert "录音服务器故障" in _act(
            portal, request_id, Role.AUDITOR, f"/extensions/{asked.id}", decision="grant"
        ), "without a ground it is not granted, and the page says so"
        granting = {"extension-until": str(FRIDAY), "extension-note": "故障属实,准予延期"}
        _act(
            portal,
            request_id,
            Role.AUDITOR,
            f"/extensions/{asked.id}",
            decision="grant",
            **granting,
        )
    (row,) = _clocks(portal, request_id)
    friday = datetime(2026, 11, 6, 18, 0, tzinfo=BEIJING)
    assert (row.due_at, row.state, _row(portal, request_id).due_at) == (friday, "open", friday)
    assert row.basis["extended"][0]["reason"] == "故障属实,准予延期"
    assert [day["counted"] for day in row.basis["days"]] == [0, 1, 2, 3]
    page = portal.client(vendor.email(Role.OFFICE)).get(f"/requests/{request_id}").text
    assert "故障属实,准予延期" in page and "由 2026年11月5日 周四 18:00 延期" in page
    with portal.session(world.scope) as session:
        acts = set(session.scalars(sa.select(JournalEntry.action)))
        assert {
            "materials.request.extension_asked",
            "materials.request.extension_granted",
            "deadline.extended",
        } <= acts


def test_a_refusal_keeps_the_deadline_and_none_is_asked_for_once_it_passed(
    portal: Portal, request_id: UUID
) -> None:
    world, vendor = portal.world, portal.world.vendors[0]
    office = vendor.actor(Role.OFFICE, world.company_id)
    with clock.frozen(MOMENT), portal.session(Scope.vendor(vendor.id)) as session:
        asked = extensions.ask(session, request_id, wanted=FRIDAY, reason="盘点", actor=office)
        session.commit()
    auditor = world.actor(Role.AUDITOR)
    with clock.frozen(DUE + timedelta(seconds=1)), portal.session(world.scope) as session:
        extensions.refuse(session, request_id, asked.id, note="理由不充分", actor=auditor)
        session.commit()
        told = session.scalars(
            sa.select(Notification.template).where(Notification.tenant_id == vendor.id)
        ).all()
        assert any("is refused; it stays due" in one for one in told)
    with (
        clock.frozen(DUE + timedelta(seconds=1)),
        portal.session(Scope.vendor(vendor.id)) as session,
        pytest.raises(Conflict, match="cannot be extended"),
    ):
        extensions.ask(session, request_id, wanted=FRIDAY, reason="盘点", actor=office)


def test_what_was_late_stays_late_when_a_returned_item_is_extended(
    portal: Portal, request_id: UUID, tmp_path: Path
) -> None:
    """Two of three in time on Thursday, the third on Friday: one day late. On Monday one of the
    first two is returned: due Wednesday, on a clock of its own, extended to Thursday and met. The
    score counts the one late item, and the returned one in time."""
    world, vendor = portal.world, portal.world.vendors[0]
    with clock.frozen(DUE - timedelta(hours=3)):
        _deliver(portal, request_id, tmp_path, 1, 2)
        _hand_in(portal, request_id)
    with clock.frozen(DUE + timedelta(hours=16)):
        with portal.session(world.scope) as session:
            assert sweep(session, actor=system_actor(world.company_id)) == 1
            session.commit()
        _deliver(portal, request_id, tmp_path, 3)
        _hand_in(portal, request_id)
    monday = datetime(2026, 11, 9, 10, 0, tzinfo=BEIJING)
    with clock.frozen(monday), portal.session(world.scope) as session:
        first = _items(portal, request_id)[0]
        service.decide(
            session,
            request_id,
            [first.id],
            accept=False,
            note="前半段缺失",
            seen_version=_row(portal, request_id).version,
            actor=world.actor(Role.AUDITOR),
        )
        session.commit()
    early, late = _clocks(portal, request_id)
    assert (early.state, early.met_at is None) == ("breached", False)
    assert (late.state, late.due_at) == ("open", datetime(2026, 11, 11, 18, tzinfo=BEIJING))
    with clock.frozen(monday), portal.session(Scope.vendor(vendor.id)) as session:
        office = vendor.actor(Role.OFFICE, world.company_id)
        asked = extensions.ask(
            session, request_id, wanted=date(2026, 11, 12), reason="重新导出", actor=office
        )
        session.commit()
    with clock.frozen(monday), portal.session(world.scope) as session:
        actor = world.actor(Role.AUDIT_HEAD)
        extensions.grant(
            session, request_id, asked.id, until=date(2026, 11, 12), note="同意", actor=actor
        )
        session.commit()
    assert _row(portal, request_id).due_at == DUE, "the first date is not rewritten"
    with clock.frozen(monday + timedelta(days=3)):
        desk = Desk(portal.client(vendor.email(Role.OFFICE)), request_id)
        body = samples.pcm(tmp_path / "again.wav", 3).read_bytes()
        desk.send("HC-00001_完整.wav", body, first.id)
        _hand_in(portal, request_id)
    early, late = _clocks(portal, request_id)
    assert (early.state, late.state) == ("breached", "met")
    with clock.frozen(monday + timedelta(days=4)), portal.session(world.scope) as session:
        facts = score_facts(session, vendor.id, "2026-11", load(session))
    assert [(one.case_no, one.working_days_late) for one in facts.missed] == [("HC-00003", 1)]


def test_of_two_clocks_the_one_that_presses_is_extended(
    portal: Portal, request_id: UUID, tmp_path: Path
) -> None:
    """One of three is handed in and returned: it is due later than the two that were never sent. It
    is these that need more time; the returned one keeps its own date."""
    world, vendor = portal.world, portal.world.vendors[0]
    with clock.frozen(DUE - timedelta(hours=3)):
        _deliver(portal, request_id, tmp_path, 1)
        _hand_in(portal, request_id)
        with portal.session(world.scope) as session:
            service.decide(
                session,
                request_id,
                [_items(portal, request_id)[0].id],
                accept=False,
                note="前半段缺失",
                seen_version=_row(portal, request_id).version,
                actor=world.actor(Role.AUDITOR),
            )
            session.commit()
        first, second = _clocks(portal, request_id)
        assert first.due_at == DUE < second.due_at
        office = Desk(portal.client(vendor.email(Role.OFFICE)), request_id).client
        page = office.get(f"/requests/{request_id}").text
        assert "延期适用于 11-05 18:00 到期的全部未交事项" in page
        sent = {"ask-wanted": FRIDAY.isoformat(), "ask-reason": "录音服务器检修"}
        assert office.post(f"/requests/{request_id}/extensions", data=sent).status_code == 302
        with portal.session(world.scope) as session:
            made = session.scalars(sa.select(Extension)).one()
            extensions.grant(
                session,
                request_id,
                made.id,
                until=FRIDAY,
                note="同意",
                actor=world.actor(Role.AUDIT_HEAD),
            )
            session.commit()
    again = _clocks(portal, request_id)
    assert [row.due_at for row in again] == [DUE + timedelta(days=1), second.due_at]


def test_cancelled_items_are_not_owed_and_a_cancelled_request_has_no_clock(
    portal: Portal, request_id: UUID, tmp_path: Path
) -> None:
    """Two delivered and handed in, the third cancelled: the clock is met by that hand-in. All
    cancelled one by one is refused; the whole request with its reason is not."""
    vendor = portal.world.vendors[0]
    with clock.frozen(MOMENT + timedelta(hours=2)):
        _deliver(portal, request_id, tmp_path, 1, 2)
        _hand_in(portal, request_id)
        assert _clocks(portal, request_id)[0].state == "open"
        third = _items(portal, request_id)[2]
        version = _row(portal, request_id).version
        page = _act(
            portal, request_id, Role.AUDITOR, "/items/cancel", item=str(third.id), version=version
        )
        assert _items(portal, request_id)[2].state == "missing", "no reason, no cancelling"
        _act(
            portal,
            request_id,
            Role.AUDITOR,
            "/items/cancel",
            item=str(third.id),
            version=version,
            note="该案已撤案",
        )
        assert _items(portal, request_id)[2].state == "cancelled"
        assert _clocks(portal, request_id)[0].state == "met"
        with portal.session(portal.world.scope) as session:
            counts = request_counts(session, vendor.id, request_id)
            assert (counts.expected, counts.delivered) == (2, 2)
        page = portal.client(vendor.email(Role.OFFICE)).get(f"/requests/{request_id}").text
        assert "该案已撤案" in page
        rest = [str(item.id) for item in _items(portal, request_id)[:2]]
        _act(
            portal,
            request_id,
            Role.AUDITOR,
            "/items/cancel",
            item=rest,
            version=_row(portal, request_id).version,
            note="全部",
        )
        assert [item.state for item in _items(portal, request_id)[:2]] == ["delivered"] * 2
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        other = add_request(session, portal.world, vendor, first=50, wanted=CALLS)
    with clock.frozen(MOMENT + timedelta(hours=1)):
        _act(
            portal,
            other.id,
            Role.VENDOR_MANAGER,
            "/cancel",
            **{"cancel-reason": "下发有误", "cancel-version": 1},
        )
        assert (_row(portal, other.id).state, _clocks(portal, other.id)[0].state) == (
            "cancelled",
            "void",
        )
        page = portal.client(vendor.email(Role.OFFICE)).get(f"/requests/{other.id}").text
        assert "下发有误" in page and "data-upload-desk" not in page
    with clock.frozen(DUE + timedelta(days=9)), portal.session(portal.world.scope) as session:
        facts = score_facts(session, vendor.id, "2026-11", load(session))
        assert (facts.total, facts.missed) == (2, ()), "nothing cancelled is missing"


def test_a_called_up_case_is_replaced_and_due_on_its_own(portal: Portal, request_id: UUID) -> None:
    """On Wednesday HC-00002 gives way to HC-00009, due Friday; the others stay due Thursday."""
    vendor = portal.world.vendors[0]
    with clock.frozen(MOMENT + timedelta(days=1)):
        with portal.session(portal.world.scope) as session:
            add_cases(session, portal.world, vendor, 1, first=9)
            session.commit()
        _act(
            portal,
            request_id,
            Role.AUDITOR,
            "/substitute",
            **{
                "substitute-case_no": "HC-00002",
                "substitute-by_case_no": "HC-00009",
                "substitute-reason": "原案已结清",
                "substitute-version": 1,
            },
        )
    found = {item.case_no: item for item in _items(portal, request_id)}
    assert (found["HC-00002"].state, found["HC-00009"].state) == ("cancelled", "missing")
    assert (found["HC-00009"].round, found["HC-00009"].due_at) == (
        2,
        datetime(2026, 11, 6, 18, tzinfo=BEIJING),
    )
    first, second = _clocks(portal, request_id)
    assert (first.due_at, second.due_at) == (DUE, found["HC-00009"].due_at)
    page = portal.client(vendor.email(Role.OFFICE)).get(f"/requests/{request_id}").text
    assert "原案已结清" in page and "HC-00009" in page


def test_another_vendor_can_neither_ask_nor_be_told(portal: Portal, request_id: UUID) -> None:
    second = portal.world.vendors[1]
    with clock.frozen(MOMENT):
        client = portal.client(second.email(Role.OFFICE))
        data = {"ask-wanted": str(FRIDAY), "ask-reason": "x"}
        for attack in (request_id, new_id()):
            assert client.post(f"/requests/{attack}/extensions", data=data).status_code == 404
    with (
        portal.session(portal.world.scope) as session,
        pytest.raises(Invalid, match="case number is missing"),
    ):
        changes.substitute_by_number(
            session,
            request_id,
            case_no="HC-00001",
            by_case_no=" ",
            reason="x",
            seen_version=1,
            actor=portal.world.actor(Role.AUDITOR),
        )


def test_a_cancelled_request_that_was_late_promises_nothing(
    portal: Portal, request_id: UUID
) -> None:
    """Its clock had run out; nothing is taken any more, so nothing can come late."""
    world, vendor = portal.world, portal.world.vendors[0]
    promise = "此后提交的材料照常接收"
    with clock.frozen(DUE + timedelta(hours=16)):
        with portal.session(world.scope) as session:
            sweep(session, actor=system_actor(world.company_id))
            session.commit()
        office = portal.client(vendor.email(Role.OFFICE))
        assert promise in office.get(f"/requests/{request_id}").text
        with portal.session(world.scope) as session:
            changes.cancel_request(
                session,
                request_id,
                reason="投诉已撤回",
                seen_version=_row(portal, request_id).version,
                actor=world.actor(Role.AUDITOR),
            )
            session.commit()
        page = office.get(f"/requests/{request_id}").text
    assert "投诉已撤回" in page and promise not in page
