"""Mails by real SMTP conversations: once each, retried when it helps, given up with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.app.background import chores
from portal.app.mailing import Post
from portal.calendar.service import load
from portal.deadlines.service import open_deadline
from portal.identity.mailing import MailChoice, choose
from portal.kernel import clock
from portal.kernel import settings as settings_module
from portal.kernel.access import Role
from portal.kernel.clock import BEIJING
from portal.kernel.errors import Invalid
from portal.kernel.phrases import phrase
from portal.notifications.kinds import MailState, MessageKind
from portal.notifications.models import Mail, MailOrder
from portal.notifications.sending import LEASE, WAITS, claim, composed
from portal.notifications.service import notify
from portal.notifications.smtp import Answer, Conversation, server_of
from tenants.rows import new_id
from tenants.scope import Login, Scope
from tests.conftest import Portal
from tests.factories.materials import add_request
from tests.factories.world import MOMENT
from tests.notifications.post_office import HANG_UP, PostOffice, certificate, serving
from tests.reading import without_ids

SENDER = "portal@company.example.com"
OFFICE = "office@hc.example.com"


def use(portal: Portal, url: str) -> None:
    made = replace(portal.settings, smtp_url=url, mail_from=SENDER)
    settings_module.install(made)


@pytest.fixture
def office(portal: Portal) -> Iterator[PostOffice]:
    """A mail server that takes everything, and a portal that uses it."""
    with serving(PostOffice()) as running:
        use(portal, f"smtp://127.0.0.1:{running.port}?starttls=no")
        yield running


@pytest.fixture
def post(portal: Portal) -> Post:
    """The worker's two chores."""
    return Post(portal.app, portal.database, portal.world.company_id)


def tell(portal: Portal, *roles: Role, kind: MessageKind = MessageKind.WORK) -> None:
    """A message to the first vendor's office staff."""
    with portal.session(portal.world.scope) as session:
        notify(
            session,
            tenant_id=portal.world.vendors[0].id,
            roles=roles or (Role.OFFICE,),
            message=phrase("Material request %(number)s is cancelled.", number="DQ-HC-2026-0007"),
            path="/requests/7",
            kind=kind,
        )
        session.commit()


def mails(portal: Portal) -> list[Mail]:
    with portal.session(portal.world.scope) as session:
        return list(session.scalars(sa.select(Mail).order_by(Mail.created_at, Mail.id)))


def states(portal: Portal) -> list[tuple[str, int]]:
    return [(mail.state, mail.attempts) for mail in mails(portal)]


def test_a_request_goes_out_by_mail_without_anything_of_debtors(
    portal: Portal, office: PostOffice, post: Post
) -> None:
    """One mail a person, text and HTML, in the person's language, with a link; no other vendor's
    people; nothing of a debtor's; and nothing twice, however often the chore runs."""
    vendor = portal.world.vendors[0]
    with portal.session(Scope(Login.SIGN_IN)) as session:
        account = vendor.people[Role.MANAGER][0]
        choose(session, account, MailChoice(), "en")
        session.commit()
    with clock.frozen(MOMENT):
        with portal.session(portal.world.scope) as session:
            made = add_request(session, portal.world, vendor)
        assert post.run() == 4
        assert post.run() == 0
    assert sorted(office.recipients) == [
        f"{part}@hc.example.com" for part in ("leader", "manager", "office", "supervisor")
    ]
    by_address = {str(mail["To"]): mail for mail in office.taken}
    english, chinese = by_address["manager@hc.example.com"], by_address[OFFICE]
    assert (
        "Material request DQ-HC-2026-0001: 3 cases, due Thu 5 Nov 2026 18:00" in english["Subject"]
    )
    assert "调取通知 DQ-HC-2026-0001" in chinese["Subject"]
    assert "请于北京时间 2026年11月5日 周四 18:00 前" in chinese["Subject"]
    assert chinese["Auto-Submitted"] == "auto-generated" and SENDER in chinese["From"]
    for mail in office.taken:
        text = mail.get_body(("plain",))
        html = mail.get_body(("html",))
        assert text is not None and html is not None
        for body in (text.get_content(), html.get_content()):
            assert f"/requests/{made.id}" in body
            for secret in ("HC-00001", "客户", "6222", "138"):
                assert secret not in without_ids(body), secret
    assert states(portal) == [("sent", 1)] * 4


def test_without_a_mail_server_nothing_is_queued_and_the_page_says_so(
    portal: Portal, post: Post
) -> None:
    with clock.frozen(MOMENT):
        tell(portal)
        assert post.run() == 0 and post.digest() == 0
        with portal.session(portal.world.scope) as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(MailOrder)) == 0
        page = portal.client(portal.world.email(Role.ADMINISTRATOR)).get("/mails").text
        assert "SMTP_URL" in page
        assert portal.client(portal.world.email(Role.AUDITOR)).get("/mails").status_code == 403


def test_a_refused_recipient_is_given_up_with_the_servers_words(
    portal: Portal, office: PostOffice, post: Post
) -> None:
    """The others get theirs; the administrator reads why, and may have it sent again."""
    office.refuse[OFFICE] = "550 5.1.1 no such person here"
    with clock.frozen(MOMENT):
        tell(portal, Role.OFFICE, Role.MANAGER)
        assert post.run() == 1
        assert sorted(states(portal)) == [("dead", 1), ("sent", 1)]
        admin = portal.client(portal.world.email(Role.ADMINISTRATOR))
        assert "550 5.1.1 no such person here" in admin.get("/mails?state=dead").text
        (dead,) = [mail for mail in mails(portal) if mail.state == "dead"]
        office.refuse.clear()
        assert admin.post(f"/mails/{dead.id}/again").status_code == 302
        assert post.run() == 1
    assert dict(states(portal)) == {"sent": 1}
    assert office.taken[-1]["Message-ID"] == dead.message_id


def test_a_mail_refused_for_now_waits_longer_each_time(
    portal: Portal, office: PostOffice, post: Post
) -> None:
    """451 twice, then taken: after one minute, then after five; not a second earlier."""
    office.data = ["451 4.3.0 try later", "452 4.2.2 mailbox full"]
    with clock.frozen(MOMENT):
        tell(portal)
        assert post.run() == 0
        assert (states(portal), mails(portal)[0].reply) == ([("failed", 1)], "451 4.3.0 try later")
    first = MOMENT + WAITS[0]
    for at, taken, left in (
        (first - timedelta(seconds=1), 0, ("failed", 1)),
        (first, 0, ("failed", 2)),
        (first + WAITS[1] - timedelta(seconds=1), 0, ("failed", 2)),
        (first + WAITS[1], 1, ("sent", 3)),
    ):
        with clock.frozen(at):
            assert post.run() == taken
        assert states(portal) == [left]


def test_a_server_that_is_down_for_good_makes_the_mail_given_up(portal: Portal, post: Post) -> None:
    use(portal, "smtp://127.0.0.1:9?starttls=no")
    at = MOMENT
    with clock.frozen(at):
        tell(portal)
    for wait in (*WAITS, timedelta()):
        with clock.frozen(at):
            assert post.run() == 0
        at += wait
    assert states(portal) == [("dead", len(WAITS) + 1)]
    assert "ConnectionRefusedError" in mails(portal)[0].reply


def test_a_connection_lost_after_data_is_sent_again_as_the_same_mail(
    portal: Portal, office: PostOffice, post: Post
) -> None:
    """Nobody knows whether it was taken: it goes out again, and the Message-ID says that it is
    the same."""
    office.data = [HANG_UP]
    with clock.frozen(MOMENT):
        tell(portal)
        assert post.run() == 0
    assert states(portal) == [("failed", 1)]
    with clock.frozen(MOMENT + WAITS[0]):
        assert post.run() == 1
    assert [mail["Message-ID"] for mail in office.taken] == [mails(portal)[0].message_id] * 2


def test_a_worker_that_died_between_sending_and_noting(
    portal: Portal, office: PostOffice, post: Post
) -> None:
    """The claim holds others off for its lease; then the mail goes once more, as the same mail.
    A note of the first worker, if it lives after all, changes nothing."""
    with clock.frozen(MOMENT):
        tell(portal)
        post._expand(portal.world.vendors[0].id)
        with portal.session(portal.world.scope) as session:
            (mine,) = claim(session)
            session.commit()
        with Conversation(server_of(settings_module.settings().smtp_url)) as talk:
            mail = composed(mine, sender=SENDER, brand="x")
            assert talk.send(mail, SENDER, mine.address).answer is Answer.TAKEN
        assert post.run() == 0, "another worker leaves the claim alone"
    with clock.frozen(MOMENT + LEASE):
        assert post.run() == 0
    with clock.frozen(MOMENT + LEASE + timedelta(seconds=1)):
        assert post.run() == 1
        assert post.run() == 0
    assert len({str(mail["Message-ID"]) for mail in office.taken}) == 1
    assert (len(office.taken), states(portal)) == (2, [("sent", 2)])


# The server inside TLS from the start cannot know that it is.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("implicit", [False, True])
def test_tls_and_sign_in(
    portal: Portal, post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, implicit: bool
) -> None:
    """STARTTLS and implicit TLS, with user and password; a certificate that is not known, a wrong
    password and a server without STARTTLS are faults of the installation, retried."""
    tls = certificate(tmp_path)
    scheme = "smtps" if implicit else "smtp"
    with serving(PostOffice(), tls=tls, implicit=implicit) as server, clock.frozen(MOMENT):
        use(portal, f"{scheme}://robot:secret@localhost:{server.port}")
        tell(portal)
        assert post.run() == 0
        assert "certificate" in mails(portal)[0].reply.lower()
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[0]))
        with clock.frozen(MOMENT + WAITS[0]):
            use(portal, f"{scheme}://robot:wrong@localhost:{server.port}")
            assert post.run() == 0
        assert mails(portal)[0].reply.startswith("535"), mails(portal)[0].reply
        with clock.frozen(MOMENT + WAITS[0] + WAITS[1]):
            use(portal, f"{scheme}://robot:secret@localhost:{server.port}")
            assert post.run() == 1
    assert (server.signed_in, server.encrypted) == (["robot"], [True])


def test_a_server_without_starttls_gets_nothing_unless_the_settings_say_so(
    portal: Portal, office: PostOffice, post: Post
) -> None:
    use(portal, f"smtp://127.0.0.1:{office.port}")
    with clock.frozen(MOMENT):
        tell(portal)
        assert post.run() == 0
    assert "STARTTLS" in mails(portal)[0].reply and office.taken == []


def test_people_choose_what_comes_at_once(portal: Portal, office: PostOffice, post: Post) -> None:
    """By the account's page; what does not come at once stands in the digest."""
    vendor = portal.world.vendors[0]
    with clock.frozen(MOMENT):
        client = portal.client(OFFICE)
        answer = client.post(
            "/account/mails",
            data={"mail-at_once": ["reminder"], "mail-digest": "y", "mail-locale": "en"},
        )
        assert answer.status_code == 302
        tell(portal, kind=MessageKind.WORK)
        assert post.run() == 0
        tell(portal, kind=MessageKind.REMINDER)
        assert post.run() == 1
        none = client.post("/account/mails", data={"mail-locale": "en"}, follow_redirects=True)
        assert none.status_code == 200
        with portal.session(Scope(Login.SIGN_IN)) as session, pytest.raises(Invalid):
            choose(session, vendor.people[Role.OFFICE][0], MailChoice(frozenset(), False), "en")
    with clock.frozen(datetime(2026, 11, 4, 8, 31, tzinfo=BEIJING)):
        assert post.digest() == 1
        assert post.run() == 1
    body = office.taken[-1].get_body(("plain",))
    assert body is not None and "Messages since the last digest" in body.get_content()
    assert body.get_content().count("DQ-HC-2026-0007") == 1


def _clock(portal: Portal, index: int, label: str) -> datetime:
    with portal.session(portal.world.scope) as session:
        due = load(session).due_after(clock.now(), 2)
        open_deadline(
            session,
            tenant_id=portal.world.vendors[index].id,
            kind="material_request",
            subject=("material_request", new_id()),
            label=label,
            owed_by="vendor",
            due=due,
        )
        session.commit()
    return due.due_at


def test_the_digest_comes_once_a_working_day_at_its_hour(
    portal: Portal, office: PostOffice, post: Post
) -> None:
    """A clock that opens on Tuesday is open in Wednesday's digest, due soon in Thursday's and
    overdue in Friday's, where the auditors read it too; at the weekend nothing is sent; no vendor
    reads of another."""
    with clock.frozen(MOMENT):
        _clock(portal, 0, "DQ-HC-2026-0001")
        _clock(portal, 1, "DQ-RX-2026-0001")
    said = []
    for day, hour in ((4, 8), (4, 9), (4, 10), (5, 9), (6, 9), (7, 9), (8, 9)):
        with clock.frozen(datetime(2026, 11, day, hour, 0, tzinfo=BEIJING)):
            said.append(post.digest())
            while post.run():
                pass
    assert said == [0, 8, 0, 8, 10, 0, 0]
    for mail in office.taken:
        body = mail.get_body(("plain",))
        assert body is not None
        to, text = str(mail["To"]), body.get_content()
        assert ("DQ-HC" in text) == ("@rx." not in to), to
        assert ("DQ-RX" in text) == ("@hc." not in to), to
    friday = [str(mail["To"]) for mail in office.taken[16:]]
    assert {to for to in friday if "company" in to} == {
        portal.world.email(role) for role in (Role.AUDITOR, Role.AUDIT_HEAD)
    }


def test_reminders_before_at_and_a_working_day_after(
    portal: Portal, office: PostOffice, post: Post
) -> None:
    """Due Thursday 18:00: 24 h and 4 h before, at the breach, and at Friday's close of business,
    when the audit head and the vendor managers are told: each once."""
    world = portal.world
    with clock.frozen(MOMENT):
        due = _clock(portal, 0, "DQ-HC-2026-0001")
    sweep = next(
        one.run
        for one in chores(portal.database, world.company_id)
        if one.name == "sweep deadlines"
    )
    counts = []
    for at in (
        due - timedelta(hours=30),
        due - timedelta(hours=23),
        due - timedelta(hours=3),
        due + timedelta(minutes=1),
        due + timedelta(hours=23, minutes=59),
        due + timedelta(hours=24),
        due + timedelta(hours=25),
    ):
        with clock.frozen(at):
            sweep()
            counts.append(post.run())
    # The vendor's manager and office; at the breach the auditors too; after it, those above.
    assert counts == [0, 2, 2, 4, 0, 5, 0]
    escalated = set(office.recipients[-5:])
    assert escalated == {
        *(world.vendors[0].email(role) for role in (Role.MANAGER, Role.OFFICE)),
        *(world.email(role) for role in (Role.AUDITOR, Role.AUDIT_HEAD, Role.VENDOR_MANAGER)),
    }
    assert all(mail.state == MailState.SENT for mail in mails(portal))
