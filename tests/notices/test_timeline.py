"""The way of a paper: what nobody opens escalates and is served as the contract says; 签收."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.audits.assessments.service import confirm_form
from portal.audits.terms import AUDIT_TERMS, default_terms
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.kernel.errors import Conflict
from portal.notices import seals, service, timeline
from portal.notices.marks import Mark
from portal.notices.models import Document, SealUse
from portal.notices.rules import Choice
from portal.notifications.models import Notification
from portal.schemes.service import publish
from portal.vendors.models import Contract
from tests.conftest import Portal
from tests.factories.audits import beijing, open_audit, prepared
from tests.factories.world import MOMENT
from tests.notices.office import Office
from tests.notices.signing import certificates, signing
from tests.notices.test_issue import SEAL


@pytest.fixture
def office(portal: Portal, tmp_path: Path, at_work: object) -> Iterator[Office]:
    yield Office(portal, signing(portal.settings, certificates(tmp_path / "signing")))


def _sweep(office: Office, at: datetime) -> int:
    actor = system_actor(office.portal.world.company_id)
    with clock.frozen(at), office.portal.session(office.company) as session:
        count = timeline.sweep_unopened(session, actor=actor)
        session.commit()
        return count


def _open(office: Office, document_id: UUID, at: datetime) -> None:
    with clock.frozen(at), office.portal.session(office.scope) as session:
        document = session.get_one(Document, (office.vendor.id, document_id))
        service.opened(session, document, actor=office.person(Role.OFFICE))
        session.commit()


def test_one_working_day_ends_at_the_close_of_business_not_over_a_weekend(office: Office) -> None:
    """Issued on Friday at 16:00: Monday 18:00, not a minute sooner. Somebody told of a paper by a
    list or a message has not opened it; who opens it at 18:00 has."""
    friday, monday = beijing(date(2026, 11, 6), 16), beijing(date(2026, 11, 9), 18)
    with clock.frozen(friday):
        left, read = office.issue(), office.issue()
        office.portal.work()
    manager = office.portal.client(office.vendor.email(Role.MANAGER))
    assert manager.get("/papers").status_code == manager.get("/messages").status_code == 200
    _open(office, read, monday)
    for at, expected in ((friday + timedelta(days=2), 0), (monday, 0)):
        assert _sweep(office, at) == expected
    assert _sweep(office, monday + timedelta(minutes=1)) == 1
    assert _sweep(office, monday + timedelta(minutes=2)) == 0, "once"
    assert Mark.ESCALATED in office.marks(left) and Mark.ESCALATED not in office.marks(read)
    _open(office, left, monday + timedelta(hours=1))
    assert office.marks(left)[-2:] == [Mark.SERVED, Mark.OPENED], "what happened stays on record"
    with office.portal.session(office.company) as session:
        told = session.scalars(
            sa.select(Notification).where(Notification.path == f"/papers/{left}")
        ).all()
        assert [row.roles for row in told] == [["vendor_manager"]]
        actions = session.scalars(sa.select(JournalEntry.action)).all()
        assert actions.count("notices.document.unopened") == 1
        assert actions.count("notices.document.served") == 1


def test_a_paper_that_waits_for_its_seal_is_no_delay_of_the_vendor(office: Office) -> None:
    """Asked for on Tuesday, granted on Thursday at 09:00: until then it can be neither acknowledged
    nor served; unopened it escalates from Friday's close on."""
    admin = office.portal.world.actor(Role.ADMINISTRATOR)
    with office.portal.session(office.company) as session:
        seal, _version = seals.add_picture(session, "公章", SEAL, actor=admin)
        seals.set_rule(session, "rectification_notice", seal.id, actor=admin)
        session.commit()
    document_id = office.issue()
    office.portal.work()
    with pytest.raises(Conflict):
        office.acknowledge(document_id, Role.MANAGER, Choice.NO_OBJECTION)
    thursday = beijing(date(2026, 11, 5), 9)
    assert _sweep(office, thursday) == 0
    with clock.frozen(thursday):
        with office.portal.session(office.company) as session:
            use = session.scalars(sa.select(SealUse)).one()
            seals.grant(session, use.id, actor=admin)
            session.commit()
        office.portal.work()
    assert _sweep(office, beijing(date(2026, 11, 6), 18)) == 0
    assert _sweep(office, beijing(date(2026, 11, 6), 19)) == 1
    office.acknowledge(document_id, Role.MANAGER, Choice.NO_OBJECTION)


CONTRACTS: dict[str, tuple[dict[str, Any], bool]] = {
    "it says so": ({}, True),
    "it does not": ({"served_if_unopened": False}, False),
    "it is over": ({"ends_on": date(2026, 11, 3)}, False),
    "it ends today": ({"ends_on": date(2026, 11, 5)}, True),
    "it is not in force yet": ({"starts_on": date(2026, 11, 6)}, False),
}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_it_counts_as_served_only_if_the_contract_in_force_says_so(
    office: Office, contract: str
) -> None:
    """Looked at on Thursday the 5th. Escalated in any case; the ground names the contract."""
    changes, expected = CONTRACTS[contract]
    document_id = office.issue()
    office.portal.work()
    with office.portal.session(office.company) as session:
        own = Contract.tenant_id == office.vendor.id
        session.execute(
            sa.update(Contract).where(own).values(**{"served_if_unopened": True, **changes})
        )
        session.execute(sa.update(Contract).where(~own).values(served_if_unopened=not expected))
        number = session.scalars(sa.select(Contract.number).where(own)).first()
        session.commit()
    assert _sweep(office, beijing(date(2026, 11, 5), 9)) == 1
    marks = office.marks(document_id)
    assert Mark.ESCALATED in marks and (Mark.SERVED in marks) is expected
    with office.portal.session(office.scope) as session:
        document = session.get_one(Document, (office.vendor.id, document_id))
        moments = timeline.timeline_of(session, document)
        grounds = [moment.note for moment in moments if moment.mark is Mark.SERVED]
        assert grounds == ([number] if expected else [])


@pytest.mark.parametrize("choice", list(Choice))
def test_both_ways_of_acknowledging_stand_on_the_vendors_page(
    office: Office, choice: Choice
) -> None:
    """签收无异议 / 签收并申诉, chosen on the page; neither is taken for the other, no choice is
    refused, and an acknowledged paper does not escalate."""
    words = {Choice.NO_OBJECTION: "签收无异议", Choice.APPEAL: "签收并申诉"}
    document_id = office.issue()
    office.portal.work()
    manager = office.portal.client(office.vendor.email(Role.MANAGER))
    path = f"/papers/{document_id}"
    assert all(word in manager.get(path).text for word in words.values())
    assert manager.post(f"{path}/acknowledge", data={"choice": ""}).status_code == 422
    sent = {"choice": choice.value, "note": "已阅"}
    assert manager.post(f"{path}/acknowledge", data=sent).status_code == 302
    assert manager.post(f"{path}/acknowledge", data=sent).status_code == 409, "once"
    page = manager.get(path).text
    other = next(word for key, word in words.items() if key is not choice)
    assert words[choice] in page and other not in page and "周经理" in page
    assert _sweep(office, MOMENT + timedelta(days=3)) == 0
    assert office.marks(document_id)[-1] == Mark(choice.value)


def test_a_form_is_served_after_the_days_that_it_states(office: Office) -> None:
    """The scheme says two working days, and so does the paper: told of after one, served after two;
    one that was opened in between is not."""
    world = office.portal.world
    with office.portal.session(office.company) as session:
        terms = {**default_terms(), "deemed_days": 2}
        publish(
            session,
            AUDIT_TERMS,
            terms,
            in_force_from=date(2026, 11, 3),
            reason="按合同",
            seen_version=0,
            actor=world.actor(Role.ADMINISTRATOR),
        )
        made = []
        for first in (1, 11):
            audit = open_audit(session, world, office.vendor, 1, first=first)
            form = prepared(session, audit, clause_no="301" if first == 1 else "102")
            made.append(confirm_form(session, form, actor=audit.head).id)
        session.commit()
    office.portal.work()
    left, read = made
    assert _sweep(office, beijing(date(2026, 11, 4), 19)) == 4, "and the two requests before"
    assert Mark.SERVED not in office.marks(left)
    _open(office, read, beijing(date(2026, 11, 5), 9))
    assert _serve(office, beijing(date(2026, 11, 5), 18)) == 0
    assert _serve(office, beijing(date(2026, 11, 5), 19)) == 1
    assert _serve(office, beijing(date(2026, 11, 6), 19)) == 0, "once"
    assert office.marks(left)[-2:] == [Mark.ESCALATED, Mark.SERVED]
    assert Mark.SERVED not in office.marks(read)


def _serve(office: Office, at: datetime) -> int:
    actor = system_actor(office.portal.world.company_id)
    with clock.frozen(at), office.portal.session(office.company) as session:
        count = timeline.sweep_unserved(session, actor=actor)
        session.commit()
        return count
