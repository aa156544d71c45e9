"""The home page: what is due for a vendor, what waits for the company, and at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from portal.calendar.service import load
from portal.deadlines.service import open_deadline, sweep
from portal.kernel import clock
from portal.kernel.access import COMPANY_ROLES, VENDOR_ROLES, Role, system_actor
from portal.materials.kinds import ItemState
from portal.materials.models import RequestItem
from tenants.driver import KeepingConnection, Query, Rows
from tenants.rows import new_id
from tests.conftest import Portal
from tests.factories.audits import fail, open_audit
from tests.factories.materials import add_request
from tests.factories.world import MOMENT

NUMBER = "DQ-HC-2026-0001"


@pytest.fixture
def busy(portal: Portal) -> Portal:
    """The first vendor owes materials since yesterday; one case of another request failed."""
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        add_request(session, portal.world, portal.world.vendors[0])
        audit = open_audit(session, portal.world, portal.world.vendors[1], 2, first=50)
        fail(session, audit)
        session.commit()
    return portal


def test_a_vendor_sees_its_clock_first(busy: Portal) -> None:
    """The number, the clock and what is missing; another vendor sees none of it."""
    first, second = busy.world.vendors[:2]
    with clock.frozen(MOMENT):
        page = busy.client(first.email(Role.OFFICE)).get("/").text
        assert NUMBER in page and "0 / 6" in page and "RX-" not in page
        assert NUMBER not in busy.client(second.email(Role.OFFICE)).get("/").text


def test_a_card_says_what_its_number_is(busy: Portal) -> None:
    """The number of a case alone tells nobody that facts are to be checked."""
    vendor = busy.world.vendors[0]
    with clock.frozen(MOMENT), busy.session(busy.world.scope) as session:
        open_deadline(
            session,
            tenant_id=vendor.id,
            kind="fact_check",
            subject=("fact_check", new_id()),
            label="HC-00001",
            owed_by="vendor",
            due=load(session).due_after(MOMENT, 1),
        )
        session.commit()
    with clock.frozen(MOMENT):
        page = busy.client(vendor.email(Role.MANAGER)).get("/").text
    assert "HC-00001" in page and "事实核对 · 尚未答复" in page


def test_what_cannot_be_had_is_not_delivered(busy: Portal) -> None:
    """Five of six items are here and one is 无法提供: 5/6, as on the request's own page."""
    vendor = busy.world.vendors[0]
    with busy.session(busy.world.scope) as session:
        items = session.scalars(
            sa.select(RequestItem).where(RequestItem.tenant_id == vendor.id, RequestItem.required)
        ).all()
        assert len(items) == 6
        for number, item in enumerate(items):
            item.state = ItemState.DELIVERED if number else ItemState.UNAVAILABLE
        session.commit()
    with clock.frozen(MOMENT):
        page = busy.client(vendor.email(Role.OFFICE)).get("/").text
        assert "5 / 6" in page and ">5/6<" in page and "6/6" not in page
        assert "部分提交" not in page
        company = busy.client(busy.world.email(Role.AUDITOR)).get("/").text
        assert ">5/6<" in company


def test_overdue_is_said_to_both(busy: Portal) -> None:
    """Once the two working days are over (A3), before and after the sweep."""
    late = clock.at_beijing(MOMENT.date().replace(day=6), 10)
    with clock.frozen(late):
        for swept in (False, True):
            if swept:
                with busy.session(busy.world.scope) as session:
                    sweep(session, actor=system_actor(busy.world.company_id))
                    session.commit()
            emails = (
                busy.world.vendors[0].email(Role.MANAGER),
                busy.world.email(Role.AUDITOR),
            )
            for email in emails:
                page = busy.client(email).get("/").text
                assert "is-late" in page and "已逾期" in page


def test_the_company_owes_the_form(busy: Portal) -> None:
    """A confirmed finding waits for its form (A5): auditors see it, finance does not."""
    with clock.frozen(MOMENT):
        assert "RX-00050 · 301" in busy.client(busy.world.email(Role.AUDITOR)).get("/").text
        assert "RX-00050" not in busy.client(busy.world.email(Role.FINANCE)).get("/").text


def test_each_sees_the_companys_clocks_that_are_theirs(busy: Portal) -> None:
    """A re-check is no finding to report: the vendor manager sees it, with the way to it, and the
    auditor does not."""
    vendor, subject = busy.world.vendors[0], new_id()
    with clock.frozen(MOMENT), busy.session(busy.world.scope) as session:
        open_deadline(
            session,
            tenant_id=vendor.id,
            kind="rectification_recheck",
            subject=("rectification", subject),
            label="ZG-HC-2026-0001",
            owed_by="company",
            due=load(session).due_after(MOMENT, 1),
        )
        session.commit()
    with clock.frozen(MOMENT):
        writer = busy.client(busy.world.email(Role.VENDOR_MANAGER)).get("/").text
        assert f'href="/rectifications/{subject}"' in writer and "复查整改效果" in writer
        assert "RX-00050 · 301" not in writer
        auditor = busy.client(busy.world.email(Role.AUDITOR)).get("/").text
        assert "ZG-HC-2026-0001" not in auditor
        assert "共 1 项" in auditor and 'href="/assessments/#waiting"' in auditor
        assert "ZG-HC-2026-0001" not in busy.client(vendor.email(Role.MANAGER)).get("/").text


def test_every_role_has_a_home(busy: Portal) -> None:
    """Whatever a role may not see is left out, and the page still stands."""
    world = busy.world
    emails = [world.email(role) for role in COMPANY_ROLES]
    emails += [world.vendors[0].email(role) for role in VENDOR_ROLES]
    with clock.frozen(MOMENT):
        for email in emails:
            assert busy.client(email).get("/").status_code == 200, email
        agent = busy.client(world.vendors[0].email(Role.AGENT)).get("/").text
        assert NUMBER not in agent


def test_a_vendors_home_takes_six_statements(busy: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session look-up and the bell counted in; transaction control apart. Prepared reads and
    look-ups go past SQLAlchemy, so what reaches the driver is counted."""
    client = busy.client(busy.world.vendors[0].email(Role.MANAGER))
    sent: list[str] = []
    with clock.frozen(MOMENT):
        client.get("/")
        execute = psycopg.Cursor.execute

        def counted(cursor: Any, statement: Any, *rest: Any, **more: Any) -> Any:
            sent.append(str(statement))
            return execute(cursor, statement, *rest, **more)

        def fetched(
            held: KeepingConnection, wanted: Sequence[Query], tenant_id: str | None = None
        ) -> list[Rows]:
            sent.extend(query.text.decode() for query in wanted)
            return fetch(held, wanted, tenant_id)

        fetch = KeepingConnection.fetch
        monkeypatch.setattr(psycopg.Cursor, "execute", counted)
        monkeypatch.setattr(KeepingConnection, "fetch", fetched)
        assert client.get("/").status_code == 200
    assert 1 < len(sent) <= 6, sent
