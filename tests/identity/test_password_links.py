"""Links for a password: used once, by one browser, until their end (A1)."""

from __future__ import annotations

import contextvars
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from portal.identity.models import PasswordLink
from portal.identity.people import links
from portal.kernel import clock
from portal.kernel.access import Role
from portal.kernel.errors import PortalError
from tenants.scope import bound
from tests.conftest import Portal
from tests.factories.world import MOMENT, PASSWORD
from tests.identity.office import (
    CHOSEN,
    NEW,
    SIGN_IN,
    account,
    invite,
    link_in,
    post,
)

pytestmark = pytest.mark.usefixtures("at_work")


def test_a_link_is_used_once_and_says_why_it_is_over(portal: Portal, admin: FlaskClient) -> None:
    link = link_in(admin.get(invite(admin).location).text)
    anybody = portal.client()
    assert anybody.post(link, data={"new": CHOSEN, "again": CHOSEN}).status_code == 302
    again = anybody.post(
        link, data={"new": "somebody else's word", "again": "somebody else's word"}
    )
    assert again.status_code == 410 and "此链接已使用" in again.text
    assert anybody.get(link).status_code == 410
    assert (
        portal.client().post("/sign-in", data={"email": NEW, "password": CHOSEN}).status_code == 302
    )
    assert anybody.get("/password/" + "x" * 43).status_code == 404
    assert anybody.get("/password/short").status_code == 404
    with portal.session(SIGN_IN) as session:
        stored = session.scalars(sa.select(PasswordLink)).one()
        assert link.rpartition("/")[2].encode() not in stored.token_hash


def test_two_browsers_send_the_same_link_at_once(portal: Portal, admin: FlaskClient) -> None:
    """One of the two passwords is chosen; the other browser is told."""
    token = link_in(admin.get(invite(admin).location).text).rpartition("/")[2]
    start = threading.Barrier(2)
    chosen: list[str] = []
    refused: list[int] = []

    def choose(password: str) -> None:
        with bound(SIGN_IN), portal.database.session() as session:
            start.wait()
            try:
                links.use(session, token, password)
                session.commit()
                chosen.append(password)
            except PortalError as error:
                refused.append(error.status)

    # Each at this context's clock: the link is good for days from then.
    pair = [
        threading.Thread(target=contextvars.copy_context().run, args=(choose, f"{CHOSEN} {n}"))
        for n in range(2)
    ]
    for one in pair:
        one.start()
    for one in pair:
        one.join()
    assert len(chosen) == 1 and refused == [410]
    sent = {"email": NEW, "password": chosen[0]}
    assert portal.client().post("/sign-in", data=sent).status_code == 302


def test_a_lost_password_is_chosen_anew(portal: Portal, admin: FlaskClient) -> None:
    """The old password and its sessions hold until a new one is chosen; a later link ends the
    earlier; one that ran out or is taken back says so; so many in an hour are made."""
    email = portal.world.email(Role.FINANCE)
    signed = portal.client(email)
    first = link_in(admin.get(post(portal, admin, email, "link").location).text)
    second = link_in(admin.get(post(portal, admin, email, "link").location).text)
    person = portal.client()
    replaced = person.get(first)
    assert replaced.status_code == 410 and "已被新的链接取代" in replaced.text
    with clock.frozen(MOMENT + timedelta(days=3)):
        over = person.post(second, data={"new": CHOSEN, "again": CHOSEN})
        assert over.status_code == 410 and "现已失效" in over.text
    assert signed.get("/account").status_code == 200
    assert person.post(second, data={"new": CHOSEN, "again": CHOSEN}).status_code == 302
    assert signed.get("/account").status_code == 302, "signed out everywhere"
    assert (
        portal.client().post("/sign-in", data={"email": email, "password": PASSWORD}).status_code
        == 422
    )
    third = link_in(admin.get(post(portal, admin, email, "link").location).text)
    assert post(portal, admin, email, "link/revoke").status_code == 302
    assert person.get(third).status_code == 410
    assert post(portal, admin, email, "link/revoke").status_code == 409, "nothing is open"
    assert post(portal, admin, email, "link").status_code == 302
    assert post(portal, admin, email, "link").status_code == 302
    refused = post(portal, admin, email, "link")
    assert refused.status_code == 429 and "within an hour" in refused.text


def test_an_address_is_corrected_until_the_password_is_chosen(
    portal: Portal, admin: FlaskClient
) -> None:
    """The link that went to the wrong address ends; afterwards nobody gets another's account."""
    wrong = link_in(admin.get(invite(admin, email="lim@company.example.com").location).text)
    was = "lim@company.example.com"
    taken = post(portal, admin, was, "correct", name="林", email=portal.world.email(Role.AUDITOR))
    assert taken.status_code == 409 and "in use already" in taken.text
    assert post(portal, admin, was, "correct", name="林", email="none").status_code == 422
    assert account(portal, was).name == "林新"
    assert post(portal, admin, was, "correct", name="林心", email=NEW.upper()).status_code == 302
    assert account(portal, NEW).name == "林心"
    assert portal.client().get(wrong).status_code == 410
    link = link_in(admin.get(post(portal, admin, NEW, "link").location).text)
    portal.client().post(link, data={"new": CHOSEN, "again": CHOSEN})
    late = post(portal, admin, NEW, "correct", name="x", email="me@company.example.com")
    assert late.status_code == 409 and account(portal, NEW).name == "林心"
