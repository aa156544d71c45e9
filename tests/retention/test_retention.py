"""Kept for its time, held, warned of, and deleted so that the fact and the hash stay (C4.1)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from portal.cases.models import Case
from portal.files.models import StoredFile
from portal.files.service import storage
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.kernel.clock import BEIJING
from portal.kernel.errors import Conflict, Invalid
from portal.materials import service as materials
from portal.materials.models import Delivery, MaterialRequest, RequestItem, Upload
from portal.materials.rules import Wanted
from portal.notices.models import Document
from portal.notifications.models import Notification
from portal.retention import service
from portal.retention.kinds import HoldOn
from portal.retention.models import Deletion
from portal.retention.things import things
from tests.conftest import Portal
from tests.factories.materials import CALL, Desk, add_request
from tests.factories.world import MOMENT, VendorWorld
from tests.files import samples

CLOSED = date(2026, 11, 10)
OVER = datetime(2031, 11, 10, 9, 0, tzinfo=BEIJING)
"""Five years after the cases were settled: the first day on which nothing is kept any more."""


def _deliver(portal: Portal, vendor: VendorWorld, folder: Path) -> UUID:
    """A request of three cases, a recording each, handed in and accepted; the cases are settled a
    week later."""
    world = portal.world
    with clock.frozen(MOMENT):
        with portal.session(world.scope) as session:
            request = add_request(session, world, vendor, wanted=(Wanted(CALL),))
        office = portal.client(vendor.email(Role.OFFICE))
        for number in (1, 2, 3):
            body = samples.pcm(folder / f"{vendor.code}{number}.wav", 1 + number).read_bytes()
            Desk(office, request.id).deliver(f"{vendor.code}-{number:05d}_通话.wav", body)
        portal.work()
        office.post(f"/requests/{request.id}/hand-in", data={"version": 1})
        with portal.session(world.scope) as session:
            items = session.scalars(
                sa.select(RequestItem.id).where(RequestItem.request_id == request.id)
            ).all()
            row = session.get(MaterialRequest, (vendor.id, request.id))
            assert row is not None
            materials.decide(
                session,
                request.id,
                items,
                accept=True,
                note="",
                seen_version=row.version,
                actor=world.actor(Role.AUDITOR),
            )
            session.execute(
                sa.update(Case)
                .where(Case.tenant_id == vendor.id)
                .values(status="settled", closed_on=CLOSED)
            )
            session.commit()
    return request.id


@pytest.fixture
def delivered(portal: Portal, tmp_path: Path) -> tuple[UUID, UUID]:
    """Such a request of each of two vendors."""
    first, second = portal.world.vendors[:2]
    return _deliver(portal, first, tmp_path), _deliver(portal, second, tmp_path)


def _standing(portal: Portal, vendor: VendorWorld) -> dict[tuple[str, str], str]:
    with portal.session(portal.world.scope) as session:
        return {
            (one.label, one.data_class.value): one.standing
            for one in things(session, vendor.id)
            if one.data_class.value != "import_file"
        }


def _files(portal: Portal, request_id: UUID) -> dict[str, tuple[Delivery, StoredFile]]:
    with portal.session(portal.world.scope) as session:
        rows = session.execute(
            sa.select(RequestItem.case_no, Delivery, StoredFile)
            .join(Delivery, Delivery.item_id == RequestItem.id)
            .join(StoredFile, StoredFile.id == Delivery.file_id)
            .where(RequestItem.request_id == request_id)
        )
        return {row[0]: (row[1], row[2]) for row in rows}


def test_from_settlement_to_deletion(portal: Portal, delivered: tuple[UUID, UUID]) -> None:
    """Three cases settled on the same day: one free, one held, one asked for again. On the day
    five years later the free one's recording, wave form and personal data go; its hash stays."""
    world = portal.world
    first, second = world.vendors[:2]
    mine, other = delivered
    before = OVER - timedelta(days=59)
    with clock.frozen(OVER - timedelta(days=61)):
        assert _standing(portal, first) == {}
    with clock.frozen(before):
        head = portal.client(world.email(Role.AUDIT_HEAD))
        hold = {
            "vendor": str(first.id),
            "on": "case",
            "number": "HC-00002",
            "reason": "客户起诉,法院调查",
        }
        assert head.post("/retention/holds", data={**hold, "reason": ""}).status_code == 422
        assert head.post("/retention/holds", data={**hold, "number": "RX-00002"}).status_code == 422
        assert head.post("/retention/holds", data=hold).status_code == 302
        with portal.session(world.scope) as session:
            case_id = session.scalars(sa.select(Case.id).where(Case.case_no == "HC-00003")).one()
            _open_again(session, mine, case_id)
            session.commit()
        kinds = ("call_recording", "case_data")
        expected = {("HC-00001", kind): "soon" for kind in kinds}
        expected |= {("HC-00002", kind): "held" for kind in kinds}
        expected |= {("HC-00003", kind): "wanted" for kind in kinds}
        assert _standing(portal, first) == expected
        page = head.get("/retention").text.partition('id="kept"')[2].partition("</table>")[0]
        shown = [number for number in "123" if f"HC-0000{number}" in page]
        assert shown == ["2", "3"] and "DQ-HC-2026-0001" in page and "客户起诉" in page
        _warned_once(portal)
    with (
        clock.frozen(OVER - timedelta(days=1)),
        portal.session(world.scope) as session,
        pytest.raises(Invalid, match="Nothing is beyond"),
    ):
        service.start_deletion(session, first.id, actor=world.actor(Role.ADMINISTRATOR))
    with clock.frozen(OVER):
        _delete_and_look(portal, first, second, mine, other)
    with clock.frozen(OVER + timedelta(days=1)):
        head = portal.client(world.email(Role.AUDIT_HEAD))
        page = head.get("/retention").text
        assert "客户起诉" in page
        lift = page.partition("/retention/holds/")[2].partition("/lift")[0]
        head.post(f"/retention/holds/{lift}/lift", data={"reason": "判决已生效"})
        assert _standing(portal, first)["HC-00002", "call_recording"] == "due"


def _warned_once(portal: Portal) -> None:
    with portal.session(portal.world.scope) as session:
        actor = system_actor(portal.world.company_id)
        assert service.warn(session, actor=actor) == 2
        assert service.warn(session, actor=actor) == 0
        session.commit()
        told = session.scalars(sa.select(Notification).where(Notification.path == "/retention"))
        params = told.one().params
        assert (params["count"]["count"], params["vendor"]) == ("2", "华诚")


def _open_again(session: sa.orm.Session, request_id: UUID, case_id: UUID) -> None:
    """The request is open again, and names the case once more."""
    row = session.scalars(sa.select(MaterialRequest).where(MaterialRequest.id == request_id)).one()
    row.state = "handed_in"
    items = session.scalars(
        sa.select(RequestItem).where(
            RequestItem.request_id == request_id, RequestItem.case_id != case_id
        )
    )
    for item in items:
        item.state = "cancelled"


def _delete_and_look(
    portal: Portal, first: VendorWorld, second: VendorWorld, mine: UUID, other: UUID
) -> None:
    world = portal.world
    admin = portal.client(world.email(Role.ADMINISTRATOR))
    assert "华诚" in admin.get("/retention").text
    assert admin.get("/retention/export").status_code == 200
    auditor = portal.client(world.email(Role.AUDITOR))
    assert auditor.post(f"/retention/delete/{first.id}").status_code == 403
    for role in (Role.MANAGER, Role.OFFICE):
        vendor = portal.client(first.email(role))
        assert vendor.get("/retention").status_code == 404
        assert vendor.post(f"/retention/delete/{first.id}").status_code == 404
    kept = _files(portal, mine)
    delivery, file = kept["HC-00001"]
    keys = [file.storage_key, delivery.peaks_key]
    assert all(key and storage().exists(key) for key in keys)
    for _click in range(2):
        assert admin.post(f"/retention/delete/{first.id}").status_code == 302
    portal.work()
    assert all(key and storage().exists(key) for key in keys), "bytes go after the commit"
    for gone in (1, 0):
        with portal.session(world.scope) as session:
            assert service.remove_bytes(session) == gone
            session.commit()
    assert not any(key and storage().exists(key) for key in keys)
    now = _files(portal, mine)
    assert {no: row[1].state for no, row in now.items()} == {
        "HC-00001": "deleted",
        "HC-00002": "stored",
        "HC-00003": "stored",
    }
    assert {row[1].state for row in _files(portal, other).values()} == {"stored"}
    case_id = _look(portal, first, delivery, file, now["HC-00001"])
    assert auditor.post(f"/cases/{case_id}/reveal").status_code == 409
    vendor = portal.client(first.email(Role.OFFICE))
    _receipts_tell(portal, first, file, others=(vendor, auditor))
    page = vendor.get(f"/requests/{mine}").text
    assert f"/requests/{mine}/files/{delivery.id}" not in page
    assert vendor.get(f"/requests/{mine}/files/{delivery.id}").status_code == 404
    assert _standing(portal, second)["RX-00001", "call_recording"] == "due"


def _receipts_tell(
    portal: Portal, first: VendorWorld, file: StoredFile, others: tuple[FlaskClient, ...]
) -> None:
    """The receipt's page says which file is gone, when and by what rule, to both sides; the
    signed paper stays; another vendor's receipt has all its files."""
    with portal.session(portal.world.scope) as session:
        papers = session.scalars(
            sa.select(Document)
            .where(Document.template == "delivery_receipt")
            .order_by(Document.tenant_id != first.id)
        ).all()
        content = papers[0].content
    assert len(content["files"]) == 3 and len(papers) == 2
    for client in others:
        page = client.get(f"/papers/{papers[0].id}").text
        told = page.partition("<h2>此后已删除</h2>")[2].partition("</table>")[0]
        assert "本文书所列文件中有 1 个因保存期满已删除" in told
        assert file.sha256[:16] in told and "HC-00001" in told and "HC-00002" not in told
        assert "电催录音：自个案结清或退回起保存 60 个月" in told
        assert "2031年11月10日" in told
    assert "此后已删除" not in others[1].get(f"/papers/{papers[1].id}").text
    assert others[0].get(f"/papers/{papers[1].id}").status_code == 404


def _look(
    portal: Portal,
    first: VendorWorld,
    delivery: Delivery,
    file: StoredFile,
    now: tuple[Delivery, StoredFile],
) -> UUID:
    """The row and the hash stay, names and personal data are gone; the case's id."""
    gone_delivery, gone_file = now
    assert (gone_file.sha256, gone_file.name_sealed) == (file.sha256, b"")
    assert (gone_delivery.sha256, gone_delivery.peaks_key) == (delivery.sha256, None)
    with portal.session(portal.world.scope) as session:
        rows = {
            row.case_no: row
            for row in session.scalars(sa.select(Case).where(Case.tenant_id == first.id))
        }
        assert (rows["HC-00001"].debtor_masked, rows["HC-00001"].phone_sealed) == ("—", b"")
        assert rows["HC-00002"].debtor_sealed and rows["HC-00003"].debtor_sealed
        upload = session.scalars(sa.select(Upload).where(Upload.delivery_id == delivery.id)).one()
        assert upload.name_sealed == b""
        facts = session.scalars(sa.select(Deletion).order_by(Deletion.data_class)).all()
        assert [(f.label, f.data_class, f.sha256) for f in facts] == [
            ("HC-00001", "call_recording", file.sha256),
            ("HC-00001", "case_data", None),
        ]
        acts = session.scalars(
            sa.select(JournalEntry.data).where(JournalEntry.action == "retention.deleted")
        ).all()
        assert sorted((act["class"], act["things"]) for act in acts) == [
            ("call_recording", 1),
            ("case_data", 1),
        ]
        return rows["HC-00001"].id


def test_a_hold_on_a_request_keeps_its_cases_and_is_lifted_once(
    portal: Portal, delivered: tuple[UUID, UUID]
) -> None:
    world, vendor = portal.world, portal.world.vendors[0]
    head = world.actor(Role.AUDIT_HEAD)
    with clock.frozen(OVER), portal.session(world.scope) as session:
        number = session.scalars(
            sa.select(MaterialRequest.number).where(MaterialRequest.id == delivered[0])
        ).one()
        hold = service.place_hold(
            session, vendor.id, HoldOn.REQUEST, number, reason="监管检查", actor=head
        )
        with pytest.raises(Conflict, match="a hold on it already"):
            service.place_hold(
                session, vendor.id, HoldOn.REQUEST, number, reason="again", actor=head
            )
        session.commit()
    with clock.frozen(OVER):
        assert set(_standing(portal, vendor).values()) == {"held"}
        with portal.session(world.scope) as session:
            with pytest.raises(Invalid, match="reason is missing"):
                service.lift_hold(session, hold.id, reason=" ", actor=head)
            service.lift_hold(session, hold.id, reason="检查结束", actor=head)
            session.commit()
            with pytest.raises(Conflict, match="lifted already"):
                service.lift_hold(session, hold.id, reason="x", actor=head)
            acts = session.scalars(
                sa.select(JournalEntry.action).where(JournalEntry.subject_id == delivered[0])
            ).all()
            assert {"retention.hold.placed", "retention.hold.lifted"} <= set(acts)
        assert set(_standing(portal, vendor).values()) == {"due"}


def test_a_hold_placed_after_the_button_was_pressed_counts(
    portal: Portal, delivered: tuple[UUID, UUID]
) -> None:
    """The job looks again: between the click and the deletion somebody held the request."""
    world, vendor = portal.world, portal.world.vendors[0]
    with clock.frozen(OVER):
        with portal.session(world.scope) as session:
            service.start_deletion(session, vendor.id, actor=world.actor(Role.ADMINISTRATOR))
            service.place_hold(
                session,
                vendor.id,
                HoldOn.CASE,
                "HC-00001",
                reason="投诉",
                actor=world.actor(Role.COMPLAINTS),
            )
            session.commit()
        portal.work()
    states = {no: row[1].state for no, row in _files(portal, delivered[0]).items()}
    assert states == {"HC-00001": "stored", "HC-00002": "deleted", "HC-00003": "deleted"}
