"""What the audit keeps for itself never reaches the vendor: notes, marks, remarks, the reasons of
decisions, attacked by every page, file and row that it can ask for (C4.1)."""

from __future__ import annotations

import subprocess
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from portal.audits.assessments.service import confirm_form, prepare_form
from portal.audits.findings.service import save_finding
from portal.audits.reviews import facts, stages
from portal.audits.reviews.models import FactCheck
from portal.audits.reviews.service import Mark, add_mark, save_notes
from portal.kernel.access import Role
from portal.notices.models import Document
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.audits import Audit, open_audit, text

pytestmark = pytest.mark.usefixtures("at_work")
PRIVATE = ("疑似主管授意", "此处语气可疑", "请复听后半段", "维持初听意见")
"""A note, a mark's words, the first listener's remark, the judge's."""


@pytest.fixture
def audit(portal: Portal) -> Audit:
    """A case with everything private about it, checked by the vendor, judged and reported."""
    note, mark, first, second = PRIVATE
    with portal.session(portal.world.scope) as session:
        made = open_audit(session, portal.world, portal.world.vendors[0], 1)
        review = made.review(session)
        save_notes(session, review, note, actor=made.auditor)
        place = Mark(made.delivery_ids[0], 1, 3, "serious", mark)
        add_mark(session, review, place, actor=made.auditor)
        save_finding(session, review, text(made), actor=made.auditor)
        stages.end_first(session, review, passed=False, remark=first, actor=made.auditor)
        check = stages.ask_facts(session, review, actor=made.head)
        session.commit()
        check_id: UUID = check.id
    with portal.session(Scope.vendor(made.vendor.id)) as session:
        manager = made.vendor.actor(Role.MANAGER, portal.world.company_id)
        facts.answer(session, check_id, agreed=True, text="", actor=manager)
        session.commit()
    with portal.session(portal.world.scope) as session:
        review = made.review(session)
        stages.judge(session, review, passed=False, remark=second, actor=made.head)
        form = prepare_form(
            session, tenant_id=made.vendor.id, request_id=made.request_id, actor=made.auditor
        )
        session.commit()
        confirm_form(session, form, actor=made.head)
        session.commit()
    portal.work()
    return made


def test_private_words_are_on_no_page_file_or_paper(portal: Portal, audit: Audit) -> None:
    with portal.session(portal.world.scope) as session:
        form_id, paper = session.execute(
            sa.select(Document.subject_id, Document.id).where(
                Document.template == "assessment_form"
            )
        ).one()
        check_id = session.scalars(sa.select(FactCheck.id)).one()
    desk = portal.client(portal.world.email(Role.AUDIT_HEAD)).get(f"/reviews/{audit.review_ids[0]}")
    assert all(word in desk.text for word in PRIVATE), "the desk has them"
    request, review = f"/requests/{audit.request_id}", f"/reviews/{audit.review_ids[0]}"
    for role in (Role.MANAGER, Role.TEAM_LEADER, Role.OFFICE):
        client = portal.client(audit.vendor.email(role))
        for path in (
            "/",
            "/messages",
            "/papers",
            f"/papers/{paper}",
            request,
            f"{request}/files/{audit.delivery_ids[0]}/listen",
            "/assessments/",
            f"/assessments/{form_id}",
            "/fact-checks/",
            f"/fact-checks/{check_id}",
            "/appeals",
            "/rectifications/",
        ):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert not [word for word in PRIVATE if word in answer.text], path
        for path in ("/reviews/", review, "/reviews/list.xlsx", "/reviews/opinions/"):
            assert client.get(path).status_code == 404, path
        for path in ("notes", "marks", "verdict", "facts", "facts/recall"):
            assert client.post(f"{review}/{path}", data={"version": "1"}).status_code == 404, path
        with client.get(f"/papers/{paper}/pdf") as file:
            found = subprocess.run(
                ["pdftotext", "-", "-"], input=file.data, capture_output=True, check=True
            )
        pages = found.stdout.decode().replace("\n", "")
        assert "HC-00001" in pages and not [word for word in PRIVATE if word in pages]


def test_private_rows_are_denied_by_the_database(portal: Portal, audit: Audit) -> None:
    for table in ("reviews", "review_listenings", "finding_decisions"):
        with (
            portal.session(Scope.vendor(audit.vendor.id)) as session,
            pytest.raises(ProgrammingError, match="permission denied"),
        ):
            session.execute(sa.text(f"select * from {table}")).all()
