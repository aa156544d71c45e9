"""Offices and accounts that end: at once, one at a time, and never the last administrator (A1)."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from portal.identity.people import service
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, PortalError
from tenants.scope import bound
from tests.conftest import Portal
from tests.factories.world import PASSWORD
from tests.identity.office import (
    NEW,
    SECOND,
    SIGN_IN,
    account,
    add,
    appointment,
    invite,
    link_in,
    page_of,
    post,
)

pytestmark = pytest.mark.usefixtures("at_work")


def test_the_second_of_two_administrators_is_told(portal: Portal, admin: FlaskClient) -> None:
    add(portal, SECOND, Role.FINANCE)
    seen = str(account(portal, SECOND).version)
    path = page_of(portal, SECOND)
    assert admin.post(f"{path}/roles", data={"version": seen, "role": "auditor"}).status_code == 302
    for act, data in (("roles", {"role": "audit_head"}), ("disable", {}), ("link", {})):
        stale = admin.post(f"{path}/{act}", data={"version": seen, **data})
        assert stale.status_code == 409 and "Somebody changed this" in stale.text, act
    assert account(portal, SECOND).roles == ["auditor", "finance"]
    assert post(portal, admin, SECOND, "roles", role="auditor").status_code == 409
    assert post(portal, admin, SECOND, "roles", role="manager").status_code == 422
    assert post(portal, admin, SECOND, "roles", role="king").status_code == 404


def test_disabling_ends_the_sessions_at_once(portal: Portal, admin: FlaskClient) -> None:
    email = portal.world.vendors[0].email(Role.OFFICE)
    signed = portal.client(email)
    link = link_in(admin.get(post(portal, admin, email, "link").location).text)
    assert signed.get("/").status_code == 200
    assert post(portal, admin, email, "disable", ground="离职").status_code == 302
    assert signed.get("/").status_code == 302, "signed out"
    assert portal.client().get(link).status_code == 410
    refused = portal.client().post("/sign-in", data={"email": email, "password": PASSWORD})
    assert refused.status_code == 422
    assert "离职" in admin.get(page_of(portal, email)).text
    assert post(portal, admin, email, "disable").status_code == 409
    assert post(portal, admin, email, "link").status_code == 409
    assert post(portal, admin, email, "roles", role="manager").status_code == 409
    assert post(portal, admin, email, "enable").status_code == 302
    assert signed.get("/").status_code == 302, "an ended session stays ended"
    assert portal.client(email).get("/").status_code == 200


def test_nobody_ends_the_own_office_and_the_last_stays(portal: Portal, admin: FlaskClient) -> None:
    own = portal.world.email(Role.ADMINISTRATOR)
    assert post(portal, admin, own, "roles", role="finance").status_code == 302
    office = appointment(portal, own, Role.ADMINISTRATOR)
    for act in ("disable", f"roles/{office.id}/withdraw"):
        answer = post(portal, admin, own, act)
        assert answer.status_code == 409 and "own administrator role" in answer.text
    # An administrator who was invited and never signed in does not count as one who is left.
    invite(admin, roles=["administrator", "finance"])
    company = portal.world.company_id
    new = Actor(account(portal, NEW).id, "林新", company, company)
    row = account(portal, own)
    page = {"ground": "", "seen_version": str(row.version)}
    with portal.session(SIGN_IN) as session, pytest.raises(Conflict, match="last administ"):
        service.disable(session, row.id, **page, actor=new)
    with portal.session(SIGN_IN) as session, pytest.raises(Conflict, match="last administ"):
        service.withdraw_role(session, row.id, office.id, **page, actor=new)
    # The only role is not withdrawn: an account without a role is none.
    finance = portal.world.email(Role.FINANCE)
    only = appointment(portal, finance, Role.FINANCE)
    answer = post(portal, admin, finance, f"roles/{only.id}/withdraw")
    assert answer.status_code == 409 and "only role" in answer.text
    assert post(portal, admin, finance, f"roles/{office.id}/withdraw").status_code == 404


def test_two_administrators_disable_each_other(portal: Portal) -> None:
    """At the same moment, on two connections: one of them stays."""
    ids = [portal.world.people[Role.ADMINISTRATOR], add(portal, SECOND, Role.ADMINISTRATOR)]
    start, ended = threading.Barrier(2), []

    def end(me: UUID, other: UUID) -> None:
        actor = Actor(me, "", portal.world.company_id, portal.world.company_id)
        with bound(SIGN_IN), portal.database.session() as session:
            start.wait()
            try:
                service.disable(session, other, ground="", seen_version="1", actor=actor)
                session.commit()
                ended.append(other)
            except PortalError:
                session.rollback()

    pair = [threading.Thread(target=end, args=(ids[n], ids[1 - n])) for n in range(2)]
    for one in pair:
        one.start()
    for one in pair:
        one.join()
    assert len(ended) == 1
