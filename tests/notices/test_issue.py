"""A paper's life with its vendor: issued once, opened, acknowledged, sealed, replaced, unopened."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pikepdf
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.kernel.errors import Conflict, Forbidden
from portal.notices import seals, service, timeline
from portal.notices.mailed import note_mails
from portal.notices.marks import Mark
from portal.notices.models import Document, DocumentSeal, SealUse
from portal.notices.rules import Choice
from portal.notices.seal_queries import decided_uses, open_uses
from portal.notices.signing.desk import open_desk
from portal.notifications.models import Mail, Notification
from portal.vendors.models import Contract
from tenants.rows import new_id
from tests.conftest import Portal
from tests.factories.world import MOMENT
from tests.notices.office import Office
from tests.notices.reading import flat
from tests.notices.signing import certificates, signing

SEAL = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">'
    b'<circle cx="20" cy="20" r="18" fill="none" stroke="#c00" stroke-width="2"/></svg>'
)


@pytest.fixture
def office(portal: Portal, tmp_path: Path, at_work: object) -> Iterator[Office]:
    yield Office(portal, signing(portal.settings, certificates(tmp_path / "signing")))


def test_a_notice_is_signed_acknowledged_by_two_and_verifiable(office: Office) -> None:
    document_id = office.issue()
    office.portal.work()
    office.acknowledge(document_id, Role.MANAGER, Choice.NO_OBJECTION)
    office.acknowledge(document_id, Role.TEAM_LEADER, Choice.APPEAL)
    office.portal.work()
    revisions = office.revisions(document_id)
    assert [number for number, _, _ in revisions] == [1, 2, 3]
    desk = open_desk(office.settings)
    for number, sha256, pdf in revisions:
        assert desk.verify(pdf, signatures=number, sha256=sha256).sound
    reasons = [one.reason for one in desk.verify(revisions[2][2]).signatures]
    assert "签收无异议 ZG-HC-2026-0001 经理 周经理 2026-11-03 10:00:00" in reasons
    assert "签收并申诉 ZG-HC-2026-0001 组长 郑组长 2026-11-03 10:00:00" in reasons
    assert office.marks(document_id) == [
        Mark.ISSUED, Mark.SIGNED, Mark.NO_OBJECTION, Mark.APPEAL,
    ]  # fmt: skip
    with office.portal.session(office.scope) as session:
        code = session.get_one(Document, (office.vendor.id, document_id)).verify_code
    found = service.verify(office.portal.database, f"{code[:4]}-{code[4:].lower()}")
    assert found is not None
    assert found.hashes == tuple(sha256 for _, sha256, _ in revisions)
    assert found.signed_by == "恒信消费金融有限公司"
    assert len(found.acknowledged_at) == 2
    assert found.matches(revisions[0][1])


def test_a_person_acknowledges_once_and_three_at_most(office: Office) -> None:
    document_id = office.issue()
    office.portal.work()
    office.acknowledge(document_id, Role.MANAGER, Choice.NO_OBJECTION)
    with pytest.raises(Conflict):
        office.acknowledge(document_id, Role.MANAGER, Choice.APPEAL)
    office.acknowledge(document_id, Role.SUPERVISOR, Choice.NO_OBJECTION)
    office.acknowledge(document_id, Role.TEAM_LEADER, Choice.NO_OBJECTION)
    with pytest.raises(Conflict):
        office.acknowledge(document_id, Role.OFFICE, Choice.NO_OBJECTION)
    office.portal.work()
    assert len(office.revisions(document_id)) == 4


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from dataclasses import replace
    from portal.kernel import settings as installed
    from portal.kernel.settings import Settings
    from portal.app import background
    from portal.app.factory import open_database
    from portal.jobs import worker
    from portal.notices import jobs
    settings = Settings.from_env(os.environ)
    installed.install(settings)
    keep = jobs.keep
    def die(*args, **kwargs):
        keep(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
    jobs.keep = die
    from uuid import UUID
    worker.drain(settings.login_urls()["queue"], open_database(settings), UUID(sys.argv[1]))
"""


def test_a_worker_killed_between_signature_and_store_issues_one(office: Office) -> None:
    """The bytes are stored, the row is not committed: the next worker makes the paper, once."""
    document_id = office.issue()
    environment = {
        **os.environ,
        "PORTAL_ENV": "test",
        "DATABASE_URL": office.settings.database_url,
        "PORTAL_DB_PASSWORDS": str(office.settings.db_passwords),
        "PORTAL_SECRET_KEY": office.settings.secret_key,
        "PORTAL_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "PORTAL_DATA_DIR": str(office.settings.data_dir),
        "SIGNING": "pem",
        "SIGNING_CERTIFICATE": str(office.settings.signing_certificate),
        "SIGNING_KEY": str(office.settings.signing_key),
    }
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(office.portal.world.company_id)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert office.revisions(document_id) == []
    with office.portal.session(office.company) as session:
        # The chore that has papers made which should be there.
        actor = system_actor(office.portal.world.company_id)
        assert service.issue_waiting(session, actor=actor) == 0
        with clock.frozen(MOMENT + timedelta(minutes=11)):
            assert service.issue_waiting(session, actor=actor) == 1
        session.commit()
    office.portal.work()
    office.portal.work()
    (revision,) = office.revisions(document_id)
    assert open_desk(office.settings).verify(revision[2], signatures=1).sound


def test_what_belongs_to_an_issued_paper_does_not_change(office: Office) -> None:
    document_id = office.issue()
    office.portal.work()
    office.acknowledge(document_id, Role.MANAGER, Choice.NO_OBJECTION)
    office.portal.work()
    statements = [
        "update documents set number = 'X'",
        "update documents set sha256 = 'X'",
        "update documents set signed_by = 'X'",
        "update document_revisions set sha256 = 'X'",
        "delete from document_revisions",
        "update document_steps set at = now()",
        "update acknowledgements set choice = 'appeal'",
        "update acknowledgements set revision = 1",
        "delete from acknowledgements",
    ]
    with office.portal.session(office.scope) as session:
        document = session.get_one(Document, (office.vendor.id, document_id))
        timeline.mailed(session, document, to="周经理", at=clock.now())
        session.commit()
    owner = sa.create_engine(
        sa.make_url(office.settings.login_urls()["owner"]).set(drivername="postgresql+psycopg")
    )
    for statement in statements:
        with pytest.raises(DBAPIError, match="does not change"), owner.begin() as connection:
            connection.execute(sa.text(statement))
    owner.dispose()


def test_a_later_paper_replaces_and_each_names_the_other(office: Office) -> None:
    first = office.issue()
    office.portal.work()
    second = office.issue(supersedes=first)
    office.portal.work()
    assert "本文书替代" in flat(office.revisions(second)[0][2])
    with office.portal.session(office.scope) as session:
        codes = [
            session.get_one(Document, (office.vendor.id, one)).verify_code
            for one in (first, second)
        ]
    old, new = (service.verify(office.portal.database, code) for code in codes)
    assert old is not None and new is not None
    assert (old.superseded_by, new.supersedes) == ("ZG-HC-2026-0002", "ZG-HC-2026-0001")
    assert (old.supersedes, new.superseded_by) == ("", "")
    with pytest.raises(Conflict, match="replaced already"):
        office.issue(supersedes=first)
    with pytest.raises(Conflict):
        office.acknowledge(first, Role.MANAGER, Choice.NO_OBJECTION)


def test_a_seal_is_drawn_when_another_person_grants_it(office: Office) -> None:
    world = office.portal.world
    admin, manager = world.actor(Role.ADMINISTRATOR), world.actor(Role.VENDOR_MANAGER)
    with office.portal.session(office.company) as session:
        seal, _ = seals.add_picture(session, "公章", SEAL, actor=admin)
        seals.set_rule(session, "rectification_notice", seal.id, actor=admin)
        session.commit()
    granted, refused = office.issue(), office.issue()
    office.portal.work()
    assert office.revisions(granted) == []
    with office.portal.session(office.company) as session:
        assert {use.document_id for use in open_uses(session)} == {granted, refused}
        assert decided_uses(session).items == ()
    with office.portal.session(office.company) as session:
        uses = {use.document_id: use.id for use in session.scalars(sa.select(SealUse))}
        with pytest.raises(Forbidden):
            seals.grant(session, uses[granted], actor=manager)
        session.rollback()
        seals.grant(session, uses[granted], actor=admin)
        seals.refuse(session, uses[refused], "仅电子签名即可", actor=admin)
        with pytest.raises(Conflict):
            seals.grant(session, uses[refused], actor=admin)
        session.commit()
    office.portal.work()
    with office.portal.session(office.company) as session:
        assert open_uses(session) == []
        assert {use.document_id for use in decided_uses(session).items} == {granted, refused}
    sizes = {}
    for document_id in (granted, refused):
        ((_, _, pdf),) = office.revisions(document_id)
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            alts = [
                str(one.get("/Alt", ""))
                for one in opened.objects
                if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/StructElem"
            ]
        sizes[document_id] = sum("的印章" in alt for alt in alts)
    assert sizes == {granted: 1, refused: 0}
    with office.portal.session(office.scope) as session:
        (row,) = session.scalars(sa.select(DocumentSeal)).all()
        assert (row.seal_name, row.asked_by_name, row.granted_by_name) == (
            "公章", manager.name, admin.name,
        )  # fmt: skip
        assert row.picture == SEAL


def test_an_unopened_paper_escalates_and_is_served_as_the_contract_says(office: Office) -> None:
    unopened, read = office.issue(), office.issue()
    office.portal.work()
    with office.portal.session(office.scope) as session:
        document = session.get_one(Document, (office.vendor.id, read))
        service.opened(session, document, actor=office.person(Role.OFFICE))
        service.opened(session, document, actor=office.person(Role.OFFICE))
        session.commit()
    actor = system_actor(office.portal.world.company_id)
    for hours, expected in ((30, 0), (33, 1), (40, 0)):
        # Issued Tuesday 10:00; Wednesday 18:00 is 32 hours later.
        moment = MOMENT + timedelta(hours=hours)
        with clock.frozen(moment), office.portal.session(office.company) as session:
            assert timeline.sweep_unopened(session, actor=actor) == expected
            session.commit()
    assert office.marks(unopened) == [Mark.ISSUED, Mark.SIGNED, Mark.ESCALATED, Mark.SERVED]
    assert office.marks(read) == [Mark.ISSUED, Mark.SIGNED, Mark.OPENED]
    with office.portal.session(office.company) as session:
        told = session.scalars(
            sa.select(Notification).where(Notification.path == f"/papers/{unopened}")
        ).all()
        assert [row.roles for row in told] == [["vendor_manager"]]


def test_unopened_does_not_count_as_served_without_the_contract(office: Office) -> None:
    document_id = office.issue()
    office.portal.work()
    with office.portal.session(office.company) as session:
        session.execute(sa.update(Contract).values(served_if_unopened=False))
        session.commit()
    actor = system_actor(office.portal.world.company_id)
    moment = MOMENT + timedelta(hours=33)
    with clock.frozen(moment), office.portal.session(office.company) as session:
        timeline.sweep_unopened(session, actor=actor)
        session.commit()
    assert office.marks(document_id) == [Mark.ISSUED, Mark.SIGNED, Mark.ESCALATED]


def test_a_vendor_gets_papers_in_its_language(office: Office) -> None:
    with office.portal.session(office.company) as session:
        actor = office.portal.world.actor(Role.VENDOR_MANAGER)
        seals.set_language(session, office.vendor.id, "zh_Hant_TW", actor=actor)
        session.commit()
    document_id = office.issue()
    office.portal.work()
    assert "整改通知書" in flat(office.revisions(document_id)[0][2])


def test_a_mail_that_was_taken_stands_on_the_timeline_once(office: Office) -> None:
    document_id = office.issue()
    with office.portal.session(office.company) as session:
        made = new_id()
        row = {"tenant_id": office.vendor.id, "at": clock.now()}
        session.add(
            Notification(
                **row,
                id=made,
                roles=["manager"],
                template="x",
                params={},
                path=f"/rectifications/{office.vendor.id}",
            )
        )
        session.flush()
        session.add(
            Mail(
                tenant_id=office.vendor.id,
                order_id=made,
                account_id=new_id(),
                kind="other",
                address="a@hc.example.com",
                subject="s",
                text="t",
                html="h",
                message_id="m",
                state="sent",
                created_at=clock.now(),
                next_at=clock.now(),
                sent_at=clock.now(),
            )
        )
        session.flush()
        assert note_mails(session) == 1
        assert note_mails(session) == 0
        session.commit()
    assert office.marks(document_id) == [Mark.ISSUED, Mark.MAILED]
