"""What hinders a signature: nothing is half-issued, the reason is told, and later it is made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.files.models import StoredFile
from portal.jobs.models import JobRun, RunState
from portal.kernel import clock
from portal.kernel import settings as settings_module
from portal.kernel.access import Role, system_actor
from portal.kernel.settings import Settings, Signing
from portal.notices import service
from portal.notices.marks import Mark
from portal.notices.models import Document
from portal.notices.receipts import seal_waiting
from portal.notices.rules import Choice
from portal.notices.signing.desk import open_desk
from portal.notices.signing.verify import Problem
from tests.conftest import Portal
from tests.factories.world import MOMENT
from tests.notices.office import Office
from tests.notices.reading import flat
from tests.notices.signing import certificates, signing, stamp_server

Hinder = Callable[[Settings, Path], Settings]


@pytest.fixture
def portal_settings(portal: Portal, at_work: object) -> Iterator[Settings]:
    before = portal.settings
    yield before
    settings_module.install(before)


def expired(settings: Settings, folder: Path) -> Settings:
    return signing(settings, certificates(folder, last=datetime(2026, 10, 31, tzinfo=UTC)))


def not_yet(settings: Settings, folder: Path) -> Settings:
    return signing(settings, certificates(folder, first=datetime(2026, 12, 1, tzinfo=UTC)))


def no_time(settings: Settings, folder: Path) -> Settings:
    return signing(settings, certificates(folder), tsa_url="http://127.0.0.1:9/")


def no_key(settings: Settings, folder: Path) -> Settings:
    chosen = signing(settings, certificates(folder))
    chosen.signing_key.unlink()
    return chosen


def half_issued(office: Office, document_id: UUID) -> tuple[int, int, str | None]:
    """Revisions and files that there are of a paper, and its hash."""
    with office.portal.session(office.scope) as session:
        files = session.scalars(sa.select(sa.func.count()).select_from(StoredFile)).one()
        document = session.get_one(Document, (office.vendor.id, document_id))
        return len(office.revisions(document_id)), files, document.sha256


def last_error(office: Office) -> str:
    with office.portal.session(office.scope) as session:
        run = session.scalars(
            sa.select(JobRun).where(JobRun.task == "notices.render").order_by(JobRun.id.desc())
        ).first()
        assert run is not None
        assert run.state == RunState.FAILED
        return str(run.error)


def make_up(office: Office, chore: Callable[..., int] = service.issue_waiting) -> int:
    """What the worker's chore does ten minutes later."""
    with office.portal.session(office.company) as session:
        actor = system_actor(office.portal.world.company_id)
        with clock.frozen(MOMENT + timedelta(minutes=11)):
            found = chore(session, actor=actor)
        session.commit()
    office.portal.work()
    return found


@pytest.mark.parametrize(
    ("hinder", "told"),
    [
        (expired, "expired on 2026-10-31"),
        (not_yet, "valid only from 2026-12-01"),
        (no_key, "cannot be read"),
        (no_time, "does not answer"),
    ],
)
def test_what_cannot_be_signed_is_not_issued_until_it_can(
    portal: Portal, portal_settings: Settings, tmp_path: Path, hinder: Hinder, told: str
) -> None:
    office = Office(portal, hinder(portal_settings, tmp_path / "bad"))
    document_id = office.issue()
    portal.work()
    assert half_issued(office, document_id) == (0, 0, None)
    assert told in last_error(office)
    # Retried while it lasts, and still nothing; then what hindered is gone.
    assert make_up(office) == 1
    assert half_issued(office, document_id) == (0, 0, None)
    folder = certificates(tmp_path / "good")
    with stamp_server(folder) as url:
        mended = signing(portal_settings, folder, tsa_url=url, tsa_trust=str(folder / "tsa.pem"))
        assert make_up(office) == 1
        assert make_up(office) == 0
    ((number, sha256, pdf),) = office.revisions(document_id)
    verdict = open_desk(mended).verify(pdf, signatures=1, sha256=sha256)
    assert number == 1
    assert verdict.sound
    assert verdict.signatures[0].stamped
    assert Mark.SIGNED in office.marks(document_id)


def test_an_acknowledgement_that_cannot_be_sealed_is_kept_and_sealed_later(
    portal: Portal, portal_settings: Settings, tmp_path: Path
) -> None:
    folder = certificates(tmp_path / "good")
    good = signing(portal_settings, folder)
    office = Office(portal, good)
    document_id = office.issue()
    portal.work()
    settings_module.install(replace(good, tsa_url="http://127.0.0.1:9/"))
    office.acknowledge(document_id, Role.MANAGER, Choice.NO_OBJECTION)
    portal.work()
    assert len(office.revisions(document_id)) == 1
    assert Mark.NO_OBJECTION in office.marks(document_id)
    settings_module.install(good)
    assert make_up(office, seal_waiting) == 1
    revisions = office.revisions(document_id)
    assert [number for number, _, _ in revisions] == [1, 2]
    assert open_desk(good).verify(revisions[-1][2], signatures=2).sound
    assert make_up(office, seal_waiting) == 0


def test_without_a_certificate_papers_go_out_and_say_nothing_of_one(
    portal: Portal, portal_settings: Settings
) -> None:
    unsigned = replace(portal_settings, signing=Signing.NONE)
    settings_module.install(unsigned)
    office = Office(portal, unsigned)
    document_id = office.issue()
    portal.work()
    office.acknowledge(document_id, Role.MANAGER, Choice.NO_OBJECTION)
    portal.work()
    ((_, sha256, pdf),) = office.revisions(document_id)
    assert open_desk(unsigned).verify(pdf).problem is Problem.UNSIGNED
    assert "证书" not in flat(pdf)
    assert office.marks(document_id) == [Mark.ISSUED, Mark.NO_OBJECTION]
    with portal.session(office.scope) as session:
        code = session.get_one(Document, (office.vendor.id, document_id)).verify_code
    found = service.verify(portal.database, code)
    assert found is not None
    assert found.matches(sha256)
    assert not found.signed_by
