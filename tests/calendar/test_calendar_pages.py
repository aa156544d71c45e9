"""The calendar's page: days changed and years confirmed by those who may, read by all."""

from __future__ import annotations

from portal.calendar.service import load
from portal.kernel import clock
from portal.kernel.access import Role
from tests.conftest import Portal
from tests.factories.world import MOMENT


def test_a_changed_day_moves_what_is_given_afterwards(portal: Portal) -> None:
    """A company holiday on Wednesday 4 November moves a two-day deadline to Friday."""
    with clock.frozen(MOMENT):
        client = portal.client(portal.world.email(Role.VENDOR_MANAGER))
        with portal.session(portal.world.scope) as session:
            assert load(session).due_after(MOMENT, 2).due_at.day == 5
        answer = client.post(
            "/calendar/day",
            data={"day": "2026-11-04", "kind": "holiday", "name": "公司停业日"},
        )
        assert answer.status_code == 302
        with portal.session(portal.world.scope) as session:
            due = load(session).due_after(MOMENT, 2)
        assert due.due_at.day == 6
        assert [note.name for note in due.skipped] == ["公司停业日"]
        assert "公司停业日" in client.get("/calendar?year=2026").text


def test_a_vendor_reads_the_calendar_and_cannot_change_it(portal: Portal) -> None:
    vendor = portal.client(portal.world.vendors[0].email(Role.MANAGER))
    assert vendor.get("/calendar").status_code == 200
    for path in ("/calendar/day", "/calendar/confirm"):
        assert vendor.post(path, data={"year": "2028", "day": "2026-11-04"}).status_code == 404


def test_an_unconfirmed_year_warns_and_is_confirmed(portal: Portal) -> None:
    with clock.frozen(MOMENT.replace(year=2027, month=12)):
        client = portal.client(portal.world.email(Role.ADMINISTRATOR))
        assert "2028 年尚未确认" in client.get("/calendar").text
        assert client.post("/calendar/confirm", data={"year": "2028"}).status_code == 302
        assert "2028 年尚未确认" not in client.get("/calendar").text
