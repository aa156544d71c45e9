"""People and roles (rules A1, A2): invited, named, withdrawn, disabled, and all of it on record."""

from __future__ import annotations

import contextvars
import re
import threading
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from portal.identity.models import Account, Appointment, PasswordLink
from portal.identity.people import links, service
from portal.identity.service import create_account
from portal.journal.models import JournalEntry
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.clock import at_beijing
from portal.kernel.errors import Conflict, PortalError
from tenants.scope import Login, Scope, bound
from tests.conftest import Portal
from tests.factories.world import MOMENT, PASSWORD

pytestmark = pytest.mark.usefixtures("at_work")
SIGN_IN = Scope(Login.SIGN_IN)
NEW = "lin@company.example.com"
CHOSEN = "a password of my own"
SECOND = "second@company.example.com"


@pytest.fixture
def admin(portal: Portal) -> FlaskClient:
    client = portal.client(portal.world.email(Role.ADMINISTRATOR))
    client.post("/language", data={"locale": "en"})
    return client


def add(portal: Portal, email: str, *roles: Role, tenant_id: UUID | None = None) -> UUID:
    with portal.session(SIGN_IN) as session:
        account = create_account(
            session,
            tenant_id=tenant_id or portal.world.company_id,
            email=email,
            name="林添",
            roles=roles,
            password=PASSWORD,
        )
        session.commit()
        return account.id


def invite(client: FlaskClient, **changed: object) -> TestResponse:
    data = {
        "name": "林新",
        "email": NEW,
        "roles": ["finance"],
        "locale": "zh_Hans_CN",
        "ground": "",
    }
    org = changed.pop("org", "")
    return client.post(f"/accounts/new?org={org}", data=data | changed)


def account(portal: Portal, email: str) -> Account:
    with portal.session(SIGN_IN) as session:
        return session.scalars(sa.select(Account).where(Account.email == email)).one()


def page_of(portal: Portal, email: str) -> str:
    return f"/accounts/{account(portal, email).id}"


def post(portal: Portal, client: FlaskClient, email: str, act: str, /, **data: str) -> TestResponse:
    """A change of a person, sent from the page as it stands now."""
    row = account(portal, email)
    return client.post(f"/accounts/{row.id}/{act}", data={"version": str(row.version), **data})


def link_in(page: str) -> str:
    """The one-time link that a page shows; "" for none."""
    found = re.search(r"/password/[A-Za-z0-9_-]{43}", page)
    return found.group() if found else ""


def appointment(portal: Portal, email: str, role: Role) -> Appointment:
    with portal.session(SIGN_IN) as session:
        return session.scalars(
            sa.select(Appointment)
            .join(Account, Account.id == Appointment.account_id)
            .where(Account.email == email, Appointment.role == role)
            .order_by(Appointment.since.desc())
        ).all()[0]


def acts(portal: Portal) -> list[tuple[str, str]]:
    with portal.session(portal.world.scope) as session:
        rows = session.execute(
            sa.select(JournalEntry.action, JournalEntry.actor_name)
            .where(JournalEntry.action.like("identity.%"), JournalEntry.actor_name != "系统")
            .order_by(JournalEntry.at, JournalEntry.id)
        )
        return [(row.action, row.actor_name) for row in rows]


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
    sheet = openpyxl.load_workbook(BytesIO(book.data)).active
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert any(row[0] == "林添" and row[3] == "公司administrator" for row in cells)
    assert acts(portal)[-1][0] == "identity.department.exported"


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
    new = Actor(account(portal, NEW).id, "林新", *([portal.world.company_id] * 2))
    row = account(portal, own)
    for act in (
        lambda s: service.disable(s, row.id, ground="", seen_version=str(row.version), actor=new),
        lambda s: service.withdraw_role(
            s, row.id, office.id, ground="", seen_version=str(row.version), actor=new
        ),
    ):
        with portal.session(SIGN_IN) as session, pytest.raises(Conflict, match="last administ"):
            act(session)
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
