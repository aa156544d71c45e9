"""People and roles (rules A1, A2): invited, named, withdrawn, disabled, and all of it on record."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.exc import DBAPIError

from portal.identity.models import Account
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.clock import at_beijing
from tests.conftest import Portal
from tests.factories.world import MOMENT
from tests.identity.office import (
    CHOSEN,
    NEW,
    SECOND,
    SIGN_IN,
    acts,
    add,
    appointment,
    invite,
    link_in,
    post,
)
from tests.reading import sheet_rows

pytestmark = pytest.mark.usefixtures("at_work")


def test_from_the_invitation_to_the_record(portal: Portal, admin: FlaskClient) -> None:
    """Invited, password chosen, named auditor, withdrawn; the record says who, when and why."""
    answer = invite(admin, ground="综合部〔2026〕3号")
    assert answer.status_code == 302
    page = admin.get(answer.location).text
    link = link_in(page)
    assert link and "Invited" in page
    assert not link_in(admin.get(answer.location).text), "shown once"
    person = portal.client()
    first = person.get(link).text
    assert NEW in first and "设置您的密码" in first, "in the person's language"
    assert person.post("/sign-in", data={"email": NEW, "password": CHOSEN}).status_code == 422
    assert person.post(link, data={"new": "short", "again": "short"}).status_code == 422
    assert person.post(link, data={"new": CHOSEN, "again": "another one"}).status_code == 422
    assert person.post(link, data={"new": CHOSEN, "again": CHOSEN}).status_code == 302
    assert person.post("/sign-in", data={"email": NEW, "password": CHOSEN}).status_code == 302
    assert person.get("/reviews/").status_code == 403, "finance does not listen"
    with clock.frozen(MOMENT + timedelta(hours=1)):
        assert post(portal, admin, NEW, "roles", role="auditor", ground="任命书").status_code == 302
        assert person.get("/reviews/").status_code == 200, "holds from the next request on"
    named = appointment(portal, NEW, Role.AUDITOR)
    with clock.frozen(MOMENT + timedelta(hours=2)):
        answer = post(portal, admin, NEW, f"roles/{named.id}/withdraw", ground="转\x07岗")
        assert answer.status_code == 302
        assert person.get("/reviews/").status_code == 403
        assert person.get("/account").status_code == 200, "nobody is signed out by a role"
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    head.post("/language", data={"locale": "en"})
    seen = head.get("/audit-department/").text
    for told in ("林新", "任命书", "转 岗", "公司administrator", "Members before"):
        assert told in seen, told
    stood = appointment(portal, NEW, Role.AUDITOR)
    assert (stood.since, stood.until) == (
        MOMENT + timedelta(hours=1),
        MOMENT + timedelta(hours=2),
    )
    assert stood.named_by == portal.world.people[Role.ADMINISTRATOR] == stood.withdrawn_by
    by = "公司administrator"
    assert acts(portal) == [
        ("identity.account.added", by),
        ("identity.link.made", by),
        ("identity.link.used", "林新"),
        ("identity.role.named", by),
        ("identity.role.withdrawn", by),
    ]


def test_who_was_auditor_on_a_day(portal: Portal, admin: FlaskClient) -> None:
    add(portal, SECOND, Role.FINANCE)
    third = at_beijing(MOMENT.date() - timedelta(days=100), 9)
    with clock.frozen(third):
        post(portal, admin, SECOND, "roles", role="auditor")
    with clock.frozen(third + timedelta(days=3)):
        held = appointment(portal, SECOND, Role.AUDITOR)
        post(portal, admin, SECOND, f"roles/{held.id}/withdraw")
    day = third.date()
    found = {
        offset: "林添" in admin.get(f"/audit-department/?on={day + timedelta(days=offset)}").text
        for offset in (-1, 0, 2, 3, 4)
    }
    assert found == {-1: False, 0: True, 2: True, 3: True, 4: False}
    for strange in ("2026-02-30", "x", "9999-12-31", "0001-01-01"):
        assert admin.get(f"/audit-department/?on={strange}").status_code == 200
    book = admin.get(f"/audit-department/export.xlsx?on={day}")
    rows = sheet_rows(book.data)
    assert any(row[0] == "林添" and row[3] == "公司administrator" for row in rows)
    assert acts(portal)[-1][0] == "identity.department.exported"


def test_what_cannot_be_added(portal: Portal, admin: FlaskClient) -> None:
    """Each fault is told on the form; whose an address is that is in use, is not."""
    vendor = portal.world.vendors[0]
    taken = invite(admin, email=vendor.email(Role.MANAGER).upper())
    assert taken.status_code == 409 and "in use already" in taken.text
    assert vendor.short_name not in re.sub(r"<option.*?</option>", "", taken.text)
    faults: tuple[dict[str, object], ...] = (
        {"email": "no address"},
        {"email": "a@b"},
        {"email": "名@例.中国"},
        {"email": "x" * 250 + "@a.cn"},
        {"roles": []},
        {"roles": ["manager"]},
        {"roles": ["finance"], "org": vendor.id},
        {"name": " "},
        {"name": "长" * 81},
        {"name": "a\u202eb"},
        {"ground": "据" * 201},
        {"locale": "xx"},
    )
    for fault in faults:
        assert invite(admin, **fault).status_code == 422, fault
    with portal.session(SIGN_IN) as session:
        assert not session.scalar(sa.select(Account.id).where(Account.email == NEW))
    assert invite(admin, name="长" * 80).status_code == 302
    double = invite(admin)
    assert double.status_code == 409 and "in use already" in double.text
    assert invite(admin, email="hc@x.cn", roles=["manager"], org=vendor.id).status_code == 302
    with portal.session(portal.world.scope) as session:
        session.execute(sa.text("update tenants set status = 'ended' where code = 'HC'"))
        session.commit()
    assert invite(admin, email="h2@x.cn", roles=["manager"], org=vendor.id).status_code == 422


def test_the_list_is_searched_filtered_sorted_and_paged(portal: Portal, admin: FlaskClient) -> None:
    add(portal, "p00@company.example.com", Role.COMPLAINTS)
    with portal.session(SIGN_IN) as session:  # without a minute's work of hashing passwords
        session.execute(
            sa.text(
                "insert into accounts (tenant_id, id, email, name, password_hash, roles, status,"
                " created_at, password_set_at) select tenant_id, gen_random_uuid(), 'p' ||"
                " lpad(n::text, 2, '0') || '@company.example.com', name, password_hash, roles,"
                " status, created_at + n * interval '1 second', created_at"
                " from accounts, generate_series(1, 59) n where email like 'p00@%'"
            )
        )
        session.commit()
    invite(admin)
    vendor = portal.world.vendors[1]
    first = admin.get("/accounts/?q=P&role=complaints&sort=-added").text
    assert "50 people on this page" in first and "p59@" in first and "p09@" not in first
    assert first.index("p59@") < first.index("p10@")
    onward = re.findall(r'rel="next" href="([^"]+)"', first)[0].replace("&amp;", "&")
    second = admin.get(onward).text
    assert "11 people on this page" in second and "p09@" in second and "p59@" not in second
    assert "Invited" in admin.get("/accounts/?status=invited").text
    assert admin.get("/accounts/?status=invited").text.count('class="t-action"') == 2
    assert "Nobody matches" in admin.get("/accounts/?q=%25nobody").text
    theirs = admin.get(f"/accounts/?org={vendor.id}").text
    assert vendor.email(Role.MANAGER) in theirs and "company.example.com" not in theirs
    for strange in ("?org=x&role=king&status=odd&sort=-", "?q=%00" + "x" * 300):
        assert admin.get("/accounts/" + strange).status_code in (200, 422), strange
    assert admin.get("/accounts/?cursor=broken").status_code == 422


def test_others_see_none_of_it(portal: Portal) -> None:
    """Vendors' people get 404, other company people 403; the audit department's record is seen by
    those who work with it."""
    vendor = portal.world.vendors[0]
    person = portal.world.people[Role.FINANCE]
    paths = ("/accounts/", "/accounts/new", f"/accounts/{person}", "/audit-department/")
    for role in (Role.MANAGER, Role.OFFICE):
        client = portal.client(vendor.email(role))
        assert {client.get(path).status_code for path in paths} == {404}
        assert client.post(f"/accounts/{person}/disable").status_code == 404
    for role, record_seen in (
        (Role.AUDITOR, 200),
        (Role.GENERAL_DEPARTMENT, 200),
        (Role.FINANCE, 403),
    ):
        client = portal.client(portal.world.email(role))
        assert {client.get(path).status_code for path in paths[:3]} == {403}
        assert client.get("/audit-department/").status_code == record_seen
        assert client.get("/audit-department/export.xlsx").status_code == record_seen


def test_the_record_and_the_doors_hold_in_the_database(portal: Portal) -> None:
    """An appointment only ends; the sign-in login journals accounts' acts and nothing else, and
    orders mails to an account's own address only."""
    email = portal.world.email(Role.AUDITOR)
    held = appointment(portal, email, Role.AUDITOR)
    ended = "until = now(), withdrawn_by_name = 'x'"
    for change in ("since = now()", "named_by_name = 'x'", "role = 'finance'"):
        with portal.session(SIGN_IN) as session, pytest.raises(DBAPIError, match="ends, once"):
            session.execute(
                sa.text(f"update appointments set {change} where id = :id"), {"id": held.id}
            )
    with portal.session(SIGN_IN) as session:
        session.execute(sa.text(f"update appointments set {ended} where id = :id"), {"id": held.id})
        with pytest.raises(DBAPIError, match="ends, once"):
            session.execute(
                sa.text("update appointments set until = null, withdrawn_by_name = null")
            )
    with portal.session(SIGN_IN) as session, pytest.raises(DBAPIError, match="permission denied"):
        session.execute(sa.text("delete from appointments"))
    system = Actor(held.account_id, "x", portal.world.company_id, portal.world.company_id)
    with portal.session(SIGN_IN) as session, pytest.raises(DBAPIError, match="accounts only"):
        record(session, "fees.statement.confirmed", ("statement", None), actor=system)
    with portal.session(portal.world.scope) as session, pytest.raises(DBAPIError):
        session.execute(sa.text("select 1 from appointments"))
