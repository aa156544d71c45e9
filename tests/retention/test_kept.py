"""What retention never deletes, and what several matters share (C4.1)."""

from __future__ import annotations

import ast
import io
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from PIL import Image

from portal.audits.appeals.models import Appeal
from portal.audits.appeals.service import decide, raise_appeal
from portal.audits.assessments.service import confirm_form
from portal.audits.models import Finding
from portal.cases.models import Case
from portal.files.models import StoredFile
from portal.files.service import storage
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role
from portal.kernel.clock import BEIJING
from portal.materials import answers
from portal.materials.models import RequestItem
from portal.materials.rules import Wanted
from portal.notices import receipts
from portal.notices.models import Acknowledgement, Document, DocumentRevision, DocumentScan
from portal.notices.rules import Choice
from portal.retention import service
from portal.retention.kinds import DELETED_PURPOSES, IMPORTS, KEPT_PURPOSES, HoldOn
from portal.retention.things import things
from portal.vendors.models import Contract
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.audits import open_audit, prepared
from tests.factories.materials import CALL, add_request
from tests.factories.world import MOMENT
from tests.retention.test_retention import delivered

__all__ = ["delivered"]
ROOT = Path(__file__).resolve().parents[2]
MUCH_LATER = datetime(2070, 1, 5, 9, 0, tzinfo=BEIJING)


def _purposes() -> set[str]:
    """What stored files are for, as the code that keeps them says it."""
    found: set[str] = set()
    for path in (ROOT / "portal").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            said = [word.value for word in node.keywords if word.arg == "purpose"]
            found |= {str(one.value) for one in said if isinstance(one, ast.Constant)}
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            if called == "_kept":  # a copy of a delivered file
                found |= {str(a.value) for a in node.args if isinstance(a, ast.Constant)} - {"mp3"}
            if called == "ImportKind":
                (name,) = [w.value.value for w in node.keywords if w.arg == "name"]  # type: ignore[attr-defined]
                found.add(f"{name}.import")
    return found


def test_every_purpose_of_a_stored_file_has_a_time_or_is_kept() -> None:
    """Whoever keeps files for something new says here how long."""
    assert not DELETED_PURPOSES & KEPT_PURPOSES
    assert _purposes() == DELETED_PURPOSES | KEPT_PURPOSES
    assert set(IMPORTS) <= DELETED_PURPOSES


def _picture() -> io.BytesIO:
    """A small PNG."""
    sink = io.BytesIO()
    Image.new("RGB", (40, 40)).save(sink, "PNG")
    sink.seek(0)
    return sink


def _delete(portal: Portal, at: datetime) -> None:
    """Delete what is due of the first vendor, by the button and the job; then its bytes."""
    vendor = portal.world.vendors[0]
    with clock.frozen(at):
        admin = portal.client(portal.world.email(Role.ADMINISTRATOR))
        assert admin.post(f"/retention/delete/{vendor.id}").status_code == 302
        portal.work()
        with portal.session(portal.world.scope) as session:
            service.remove_bytes(session)
            session.commit()


def test_papers_their_revisions_and_scans_contracts_and_the_journal_stay(
    portal: Portal, delivered: tuple[UUID, UUID]
) -> None:
    """Forty years on everything of a vendor is deleted that has a time. Its papers, a revision with
    an acknowledgement, a stamped scan, its contract and every journal entry are as they were."""
    vendor = portal.world.vendors[0]
    manager = vendor.actor(Role.MANAGER, portal.world.company_id)
    with (
        clock.frozen(MOMENT + timedelta(days=2)),
        portal.session(Scope.vendor(vendor.id)) as session,
    ):
        paper = session.scalars(
            sa.select(Document).where(Document.template == "material_request")
        ).one()
        receipts.acknowledge(session, paper, Choice.NO_OBJECTION, note="", actor=manager)
        receipts.add_scan(session, paper, "scan.png", _picture(), note="盖章件", actor=manager)
        session.commit()
    portal.work()

    def kept() -> dict[str, object]:
        with portal.session(portal.world.scope) as session:
            files = session.scalars(
                sa.select(StoredFile)
                .where(StoredFile.tenant_id == vendor.id, StoredFile.purpose.in_(KEPT_PURPOSES))
                .order_by(StoredFile.id)
            ).all()
            present = {key for key, _size in storage().keys()}  # noqa: SIM118 - no dictionary
            return {
                "files": [(f.id, f.state, f.sha256, f.storage_key in present) for f in files],
                "scans": session.scalars(sa.select(DocumentScan.sha256)).all(),
                "revisions": session.execute(
                    sa.select(DocumentRevision.revision, DocumentRevision.sha256)
                    .where(DocumentRevision.tenant_id == vendor.id)
                    .order_by(DocumentRevision.id)
                ).all(),
                "papers": session.execute(
                    sa.select(Document.number, Document.sha256).order_by(Document.id)
                ).all(),
                "acknowledged": session.scalars(sa.select(Acknowledgement.revision)).all(),
                "contracts": session.scalars(sa.select(Contract.id).order_by(Contract.id)).all(),
                "journal": session.scalars(
                    sa.select(JournalEntry.id)
                    .where(JournalEntry.at < MUCH_LATER)
                    .order_by(JournalEntry.id)
                ).all(),
            }

    before = kept()
    assert [len(before[one]) for one in ("files", "revisions", "scans")] == [3, 2, 1]  # type: ignore[arg-type]
    _delete(portal, MUCH_LATER)
    assert kept() == before
    with portal.session(portal.world.scope) as session:
        left = session.scalars(
            sa.select(StoredFile.purpose).where(
                StoredFile.tenant_id == vendor.id, StoredFile.state == "stored"
            )
        ).all()
        # A vendor's; workbooks of clauses are the company's own.
        assert set(left) == KEPT_PURPOSES - {"clauses.import"}
        assert things(session, vendor.id) == []


@pytest.fixture
def proof_id(portal: Portal) -> UUID:
    """One proof that the recordings of three cases cannot be had; the first case is settled."""
    world, vendor = portal.world, portal.world.vendors[0]
    with clock.frozen(MOMENT):
        with portal.session(world.scope) as session:
            made = add_request(session, world, vendor, wanted=(Wanted(CALL),)).id
        with portal.session(Scope.vendor(vendor.id)) as session:
            items = session.scalars(sa.select(RequestItem.id)).all()
            answers.answer_unavailable(
                session,
                made,
                items,
                reason="not_connected",
                note="",
                proof=("proof.png", _picture()),
                actor=vendor.actor(Role.OFFICE, world.company_id),
            )
            session.commit()
        with portal.session(world.scope) as session:
            session.execute(sa.text("UPDATE material_requests SET state = 'closed'"))
            session.commit()
            return session.scalars(
                sa.select(StoredFile.id).where(StoredFile.purpose == "unavailable_proof")
            ).one()


def _close(portal: Portal, case_no: str, day: date) -> None:
    with portal.session(portal.world.scope) as session:
        session.execute(
            sa.update(Case).where(Case.case_no == case_no).values(status="settled", closed_on=day)
        )
        session.commit()


def _standing(portal: Portal, proof_id: UUID, at: datetime) -> str:
    vendor = portal.world.vendors[0]
    with clock.frozen(at), portal.session(portal.world.scope) as session:
        return next(
            (one.standing for one in things(session, vendor.id) if one.subject_id == proof_id), ""
        )


def test_a_proof_is_kept_as_long_as_the_last_of_its_cases(portal: Portal, proof_id: UUID) -> None:
    """Two of three cases over: it stays. The third over later: its day counts; a hold on any of
    the three keeps it."""
    _close(portal, "HC-00001", date(2026, 11, 10))
    _close(portal, "HC-00002", date(2026, 11, 10))
    over = datetime(2031, 11, 10, 9, 0, tzinfo=BEIJING)
    assert _standing(portal, proof_id, over) == ""
    _close(portal, "HC-00003", date(2027, 3, 1))
    assert _standing(portal, proof_id, over) == ""
    last = datetime(2032, 3, 1, 9, 0, tzinfo=BEIJING)
    assert _standing(portal, proof_id, last - timedelta(days=1)) == "soon"
    assert _standing(portal, proof_id, last) == "due"
    with clock.frozen(last), portal.session(portal.world.scope) as session:
        service.place_hold(
            session,
            portal.world.vendors[0].id,
            HoldOn.CASE,
            "HC-00001",
            reason="诉讼",
            actor=portal.world.actor(Role.AUDIT_HEAD),
        )
        session.commit()
    assert _standing(portal, proof_id, last) == "held"


def test_a_proof_that_was_taken_back_has_a_time_too(portal: Portal, proof_id: UUID) -> None:
    """Nothing names it any more: it is counted from its day, and any hold of the vendor keeps it,
    as nobody can tell what it was of."""
    with portal.session(portal.world.scope) as session:
        session.execute(sa.text("UPDATE request_items SET proof_id = NULL"))
        session.commit()
    over = clock.at_beijing(date(2031, 11, 3), 9)
    assert _standing(portal, proof_id, over) == "due"
    with clock.frozen(over), portal.session(portal.world.scope) as session:
        service.place_hold(
            session,
            portal.world.vendors[0].id,
            HoldOn.CASE,
            "HC-00002",
            reason="诉讼",
            actor=portal.world.actor(Role.AUDIT_HEAD),
        )
        session.commit()
    assert _standing(portal, proof_id, over) == "held"
    with portal.session(portal.world.scope) as session:
        session.execute(sa.text("UPDATE legal_holds SET lifted_at = now(), lifted_by_name = 'x'"))
        session.commit()
    _delete(portal, over)
    with portal.session(portal.world.scope) as session:
        assert session.scalar(sa.select(StoredFile.state).where(StoredFile.id == proof_id)) == (
            "deleted"
        )


@pytest.mark.usefixtures("at_work")
def test_what_an_appeal_disputes_is_kept_and_its_evidence_has_a_time(portal: Portal) -> None:
    """The case of an undecided appeal is kept and warned of; once decided it goes with the others.
    The evidence goes five years after the contract."""
    world, vendor = portal.world, portal.world.vendors[0]
    with portal.session(world.scope) as session:
        audit = open_audit(session, world, vendor)
        form = prepared(session, audit)
        confirm_form(session, form, actor=audit.head)
        session.commit()
    manager = vendor.actor(Role.MANAGER, world.company_id)
    with portal.session(Scope.vendor(vendor.id)) as session:
        finding = session.scalars(sa.select(Finding)).one()
        appeal = raise_appeal(
            session, finding, "录音不是本人", [("笔迹.png", _picture())], actor=manager
        )
        session.commit()
    _close(portal, finding.case_no, date(2026, 11, 10))
    with portal.session(world.scope) as session:
        session.execute(sa.text("UPDATE material_requests SET state = 'closed'"))
        session.commit()
    over = clock.at_beijing(date(2032, 1, 4), 9)

    def standing() -> dict[str, str]:
        with clock.frozen(over), portal.session(world.scope) as session:
            return {
                one.data_class.value: one.standing
                for one in things(session, vendor.id)
                if one.label == finding.case_no
            }

    kinds = ("call_recording", "case_data", "evidence")
    assert standing() == dict.fromkeys(kinds, "wanted")
    with portal.session(world.scope) as session:
        row = session.scalars(sa.select(Appeal).where(Appeal.id == appeal.id)).one()
        decide(session, row, uphold=False, reason="复听属实", actor=audit.colleague)
        session.commit()
    assert standing() == dict.fromkeys(kinds, "due")
    _delete(portal, over)
    with portal.session(world.scope) as session:
        assert session.scalars(
            sa.select(StoredFile.state).where(StoredFile.purpose == "appeal_evidence")
        ).all() == ["deleted"]
