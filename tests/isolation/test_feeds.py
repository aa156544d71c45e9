"""Calendar feeds: behind a secret address and no sign-in, each shows its person's clocks only."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from icalendar import Calendar, Component

from portal.calendar.service import load
from portal.deadlines.models import Deadline
from portal.deadlines.service import close, extend, open_deadline, void
from portal.identity.models import CalendarFeed
from portal.kernel import clock
from portal.kernel.access import Role
from tenants.rows import new_id
from tenants.scope import Login, Scope
from tests.conftest import Portal
from tests.factories.world import MOMENT
from tests.isolation.conftest import owner


def _open(portal: Portal, tenant_id: UUID, label: str, owed_by: str = "vendor") -> UUID:
    with portal.session(portal.world.scope) as session:
        row = open_deadline(
            session,
            tenant_id=tenant_id,
            kind="material_request" if owed_by == "vendor" else "finding_form",
            subject=("material_request", new_id()),
            label=label,
            owed_by=owed_by,
            due=load(session).due_after(clock.now(), 2),
        )
        session.commit()
        return row.id


@pytest.fixture
def clocks(portal: Portal) -> dict[str, UUID]:
    """A clock of each of two vendors, and one that the company owes about the first."""
    first, second = portal.world.vendors[:2]
    with clock.frozen(MOMENT):
        return {
            "DQ-HC-1": _open(portal, first.id, "DQ-HC-1"),
            "DQ-RX-1": _open(portal, second.id, "DQ-RX-1"),
            "HC-00001 · 301": _open(portal, first.id, "HC-00001 · 301", "company"),
        }


def _address(client: FlaskClient) -> str:
    """A new secret address, from the account's page, where it is shown once."""
    assert client.post("/account/feed", data={"act": "renew"}).status_code == 302
    page = client.get("/account").text
    address = page.partition("/calendar/")[2].partition(".ics")[0]
    assert address and "/calendar/" not in client.get("/account").text
    return f"/calendar/{address}.ics"


def _feed(portal: Portal, address: str) -> Calendar:
    answer = portal.client().get(address)
    assert answer.status_code == 200 and answer.mimetype == "text/calendar"
    assert "no-store" in answer.headers["Cache-Control"]
    for line in answer.data.split(b"\r\n"):
        assert len(line) <= 75 and b"\n" not in line
    found = Calendar.from_ical(answer.data)
    assert not found.errors
    return found


def _moment(event: Component, name: str) -> datetime:
    moment = event.decoded(name)
    assert isinstance(moment, datetime)
    return moment


def _labels(feed: Calendar) -> set[str]:
    known = {"DQ-HC-1", "DQ-RX-1", "HC-00001 · 301"}
    return {k for k in known for event in feed.walk("VEVENT") if k in str(event["SUMMARY"])}


def test_each_feed_shows_its_persons_clocks_only(portal: Portal, clocks: dict[str, UUID]) -> None:
    world = portal.world
    first, second = world.vendors[:2]
    with clock.frozen(MOMENT):
        seen = {
            email: _labels(_feed(portal, _address(portal.client(email))))
            for email in (
                first.email(Role.OFFICE),
                first.email(Role.AGENT),
                second.email(Role.MANAGER),
                world.email(Role.AUDITOR),
                world.email(Role.FINANCE),
            )
        }
    assert list(seen.values()) == [{"DQ-HC-1"}, set(), {"DQ-RX-1"}, set(clocks), set()]


def test_a_feed_holds_when_either_wall_is_gone(
    portal: Portal, clocks: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read in the person's own scope: with the policies open the application holds, with
    the application's criteria gone the database does."""
    assert clocks
    with clock.frozen(MOMENT):
        address = _address(portal.client(portal.world.vendors[0].email(Role.OFFICE)))
        with monkeypatch.context() as patched:
            patched.setattr("tenants.database._vendor_options", lambda scope: ())
            assert _labels(_feed(portal, address)) == {"DQ-HC-1"}
        with owner(portal) as connection:
            connection.execute(sa.text("alter policy vendor_own on deadlines using (true)"))
        assert _labels(_feed(portal, address)) == {"DQ-HC-1"}


def test_an_ended_address_is_like_one_that_never_was(
    portal: Portal, clocks: dict[str, UUID]
) -> None:
    """Renewed, ended, a disabled account, a suspended vendor: all answer like a made-up address;
    the database holds no address, and the public login reads no table."""
    assert clocks
    vendor, nobody = portal.world.vendors[0], portal.client()
    ghost = nobody.get(f"/calendar/{'x' * 43}.ics")
    assert ghost.status_code == 404
    with clock.frozen(MOMENT):
        client = portal.client(vendor.email(Role.OFFICE))
        old = _address(client)
        new = _address(client)
        for address, status in ((old, 404), (new, 200)):
            assert nobody.get(address).status_code == status
        with portal.session(Scope(Login.SIGN_IN)) as session:
            rows = session.scalars(sa.select(CalendarFeed)).all()
            assert [row.revoked_at is None for row in sorted(rows, key=lambda r: r.id)] == [
                False,
                True,
            ]
            token = new.removeprefix("/calendar/").removesuffix(".ics")
            assert all(token.encode() not in row.token_hash for row in rows)
        for statement, back in (
            ("update accounts set status = 'disabled' where email = '{}'", "active"),
            ("update tenants set status = 'suspended' where id = '{}'", "active"),
        ):
            target = vendor.email(Role.OFFICE) if "accounts" in statement else str(vendor.id)
            with owner(portal) as connection:
                connection.execute(sa.text(statement.format(target)))
            answer = nobody.get(new)
            assert (answer.status_code, len(answer.text)) == (404, len(ghost.text))
            with owner(portal) as connection:
                undo = statement.replace("disabled", back).replace("suspended", back)
                connection.execute(sa.text(undo.format(target)))
        assert nobody.get(new).status_code == 200
        client.post("/account/feed", data={"act": "revoke"})
        assert nobody.get(new).status_code == 404
    for odd in ("", "x", "%00" * 43, "../" * 14, "é" * 43):
        assert nobody.get(f"/calendar/{odd}.ics").status_code == 404


def test_an_event_keeps_its_uid_and_counts_its_changes(
    portal: Portal, clocks: dict[str, UUID]
) -> None:
    """UTC times, two alarms while it runs; an extension, a breach and a late hand-in each raise
    the SEQUENCE; a cancelled clock is CANCELLED."""
    world, vendor = portal.world, portal.world.vendors[0]
    with clock.frozen(MOMENT):
        address = _address(portal.client(vendor.email(Role.OFFICE)))
        (event,) = _feed(portal, address).walk("VEVENT")
        assert str(event["UID"]) == f"{clocks['DQ-HC-1']}@127.0.0.1"
        assert _moment(event, "DTEND") == datetime(2026, 11, 5, 10, 0, tzinfo=UTC)
        assert _moment(event, "DTEND") - _moment(event, "DTSTART") == timedelta(minutes=30)
        assert [alarm.decoded("TRIGGER") for alarm in event.walk("VALARM")] == [
            timedelta(days=-1),
            timedelta(hours=-4),
        ]
        first = (str(event["UID"]), int(event.decoded("SEQUENCE")))
    later = MOMENT + timedelta(hours=2)
    with clock.frozen(later), portal.session(world.scope) as session:
        row = session.scalars(sa.select(Deadline).where(Deadline.id == clocks["DQ-HC-1"])).one()
        calendar = load(session)
        due = calendar.due_on(date(2026, 11, 5), date(2026, 11, 6))
        extend(session, row, due, reason="系统故障", actor=world.actor(Role.AUDITOR))
        session.commit()
    numbers = []
    for step in ("extended", "late", "void"):
        with clock.frozen(due.due_at + timedelta(hours=1)):
            with portal.session(world.scope) as session:
                if step == "late":
                    close(session, vendor.id, row.subject_id, at=clock.now())
                other = session.scalars(sa.select(Deadline).where(Deadline.id == row.id)).one()
                if step == "void":
                    late = _open_void(session, vendor.id)
                session.commit()
            events = {str(e["UID"]): e for e in _feed(portal, address).walk("VEVENT")}
            event = events[first[0]]
            assert _moment(event, "LAST-MODIFIED") >= later
            assert _moment(event, "DTEND") == other.due_at
            numbers.append(int(event.decoded("SEQUENCE")))
    assert first[1] < numbers[0] < numbers[1] == numbers[2]
    assert events[f"{late}@127.0.0.1"]["STATUS"] == "CANCELLED"


def _open_void(session: sa.orm.Session, tenant_id: UUID) -> UUID:
    row = open_deadline(
        session,
        tenant_id=tenant_id,
        kind="material_request",
        subject=("material_request", new_id()),
        label="DQ-HC-2",
        owed_by="vendor",
        due=load(session).due_after(clock.now(), 2),
    )
    void(session, tenant_id, row.subject_id)
    session.commit()
    return row.id
