"""Card numbers on the form: 前6后4 by default, whole by a published scheme and a sign-in (A6)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audits.appeals.consequences import overturn
from portal.audits.appeals.models import Appeal
from portal.audits.assessments.service import confirm_form
from portal.audits.models import AssessmentForm, Finding
from portal.cases.models import Case
from portal.files.service import get_file
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role
from portal.notices.models import Document
from tests.conftest import Portal
from tests.factories.audits import open_audit, prepared
from tests.factories.world import MOMENT
from tests.isolation.conftest import owner
from tests.notices.reading import data_of, flat

pytestmark = pytest.mark.usefixtures("at_work")
CARD, HIDDEN = f"622202{1:013d}", f"622202{'*' * 9}0001"


def _form(portal: Portal, vendor: int = 0) -> UUID:
    """A form of three cases, issued and made; the first case's finding is the only one."""
    with portal.session(portal.world.scope) as session:
        audit = open_audit(session, portal.world, portal.world.vendors[vendor])
        form = prepared(session, audit)
        confirm_form(session, form, actor=audit.head)
        session.commit()
        form_id = form.id
    portal.work()
    return form_id


def _publish(portal: Portal, display: str, *, day: str = "2026-11-03", seen: int = 0) -> int:
    admin = portal.client(portal.world.email(Role.ADMINISTRATOR))
    edit = {"card_display": display, "in_force_from": day, "reason": "按制度", "seen_version": seen}
    return int(admin.post("/schemes/form_terms/edit", data=edit).status_code)


def _paper(portal: Portal, form_id: UUID) -> Document:
    """The newest paper of a form."""
    with portal.session(portal.world.scope) as session:
        papers = sa.select(Document).where(Document.subject_id == form_id).order_by(Document.id)
        return session.scalars(papers).all()[-1]


def _revealed(portal: Portal) -> list[tuple[str, str]]:
    with portal.session(portal.world.scope) as session:
        rows = session.scalars(
            sa.select(JournalEntry)
            .where(JournalEntry.action == "notices.cards.revealed")
            .order_by(JournalEntry.at, JournalEntry.id)
        )
        return [(row.actor_name, row.data["where"]) for row in rows]


def test_masked_until_the_company_publishes_otherwise(portal: Portal) -> None:
    form_id = _form(portal)
    manager = portal.client(portal.world.vendors[0].email(Role.MANAGER))
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    pdf = manager.get(f"/papers/{_paper(portal, form_id).id}/pdf").data
    for page in (manager.get(f"/assessments/{form_id}").text, head.get("/schemes").text, flat(pdf)):
        assert CARD not in page
    assert HIDDEN in flat(pdf) and HIDDEN in manager.get(f"/assessments/{form_id}").text
    assert _publish(portal, "open to all") == 422
    assert _publish(portal, "whole", day="2026-11-04") == 302
    other = _form(portal, 1)
    assert _paper(portal, other).content.get("card_display") is None, "not in force yet"
    assert _revealed(portal) == []


def test_whole_for_those_who_are_addressed_and_nowhere_else(portal: Portal) -> None:
    """The manager's page and PDF; never the office's, a link's page, the public page, the attached
    data, a mail, a file's name, nor any table in clear. Each look is on record."""
    assert _publish(portal, "whole") == 302
    vendor = portal.world.vendors[0]
    form_id = _form(portal)
    paper = _paper(portal, form_id)
    manager, office = (portal.client(vendor.email(r)) for r in (Role.MANAGER, Role.OFFICE))
    page = manager.get(f"/assessments/{form_id}").text
    assert page.count(CARD) == 2 and HIDDEN not in page, "in the finding and among the reviewed"
    answer = manager.get(f"/papers/{paper.id}/pdf")
    assert CARD in flat(answer.data) and HIDDEN not in flat(answer.data)
    assert paper.number in answer.headers["Content-Disposition"]
    assert CARD not in str(answer.headers)
    assert HIDDEN in json.dumps(data_of(answer.data, paper.number))
    assert CARD not in json.dumps(data_of(answer.data, paper.number))
    looks = [("周经理", "page"), ("周经理", "file")]
    assert _revealed(portal) == looks

    masked = office.get(f"/assessments/{form_id}").text
    assert HIDDEN in masked and CARD not in masked and f"/papers/{paper.id}/pdf" not in masked
    assert f"/papers/{paper.id}/pdf" not in office.get(f"/papers/{paper.id}").text
    refused = office.get(f"/papers/{paper.id}/pdf")
    assert refused.status_code == 409 and CARD not in refused.text
    finance = portal.client(portal.world.email(Role.FINANCE))
    assert finance.get(f"/papers/{paper.id}/pdf").status_code == 409
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    assert CARD in head.get(f"/assessments/{form_id}").text
    assert _revealed(portal) == [*looks, ("公司audit_head", "page")]

    for body in _open_to_all(portal, form_id, paper):
        assert CARD not in body
    with owner(portal) as connection:
        for table in sa.inspect(connection).get_table_names():
            held = connection.scalar(sa.text(f"select string_agg(t::text, ' ') from {table} t"))
            assert CARD not in (held or ""), table


def _open_to_all(portal: Portal, form_id: UUID, paper: Document) -> list[str]:
    """What is read of the form without a sign-in."""
    vendor = portal.world.vendors[0]
    leader, nobody = portal.client(vendor.email(Role.TEAM_LEADER)), portal.client()
    data = {"person": "王催收", "staff_no": f"{vendor.code}004"}
    made = leader.post(f"/assessments/{form_id}/links", data=data).text
    found = re.search(r"/f/([A-Za-z0-9_-]{43})", made)
    assert found
    nobody.post(f"/f/{found[1]}/open")
    linked = nobody.get(f"/f/{found[1]}").text
    assert "HC-00001" in linked
    nobody.post(f"/f/{found[1]}/receipt", data={"choice": "no_objection"})
    portal.work()
    assert nobody.get(f"/papers/{paper.id}/pdf").status_code == 302, "to the sign-in"
    verified = nobody.get(f"/verify/{paper.verify_code}").text
    assert paper.number in verified
    return [made, linked, nobody.get(f"/f/{found[1]}").text, verified]


def test_a_paper_keeps_what_it_was_issued_with(portal: Portal) -> None:
    """What was issued masked stays so, byte for byte; what was issued whole too, after masked came
    back into force; the paper that replaces it is masked by the terms of its own day."""
    old = _paper(portal, _form(portal, 1))
    assert _publish(portal, "whole") == 302
    form_id = _form(portal)
    whole = _paper(portal, form_id)
    assert _publish(portal, "masked", day="2026-11-04", seen=1) == 302
    with clock.frozen(MOMENT + timedelta(days=1)):
        manager = portal.client(portal.world.vendors[0].email(Role.MANAGER))
        assert CARD in flat(manager.get(f"/papers/{whole.id}/pdf").data)
        other = portal.client(portal.world.vendors[1].email(Role.MANAGER))
        assert _sha(portal, old) == old.sha256
        assert CARD not in flat(other.get(f"/papers/{old.id}/pdf").data)
        with portal.session(portal.world.scope) as session:
            finding = session.scalars(sa.select(Finding).where(Finding.form_id == form_id)).one()
            appeal = _appeal(portal, finding)
            session.add(appeal)
            session.flush()
            head = portal.world.actor(Role.AUDIT_HEAD)
            appeal.state, appeal.decided_at = "upheld", clock.now()
            appeal.decided_by, appeal.decided_by_name = head.account_id, head.name
            appeal.decision = "成立"
            overturn(session, finding, appeal, actor=head)
            session.commit()
        portal.work()
        later = _paper(portal, form_id)
        assert later.supersedes_id == whole.id
        pdf = manager.get(f"/papers/{later.id}/pdf").data
        assert CARD not in flat(pdf) and HIDDEN in flat(pdf)
    with portal.session(portal.world.scope) as session, pytest.raises(IntegrityError):
        session.execute(sa.update(Document).values(cards_sealed=None))


def _sha(portal: Portal, paper: Document) -> str:
    with portal.session(portal.world.scope) as session:
        assert paper.file_id is not None
        return get_file(session, paper.file_id).sha256


def _appeal(portal: Portal, finding: Finding) -> Appeal:
    manager = portal.world.vendors[0].actor(Role.MANAGER, portal.world.company_id)
    return Appeal(
        tenant_id=finding.tenant_id,
        finding_id=finding.id,
        form_id=finding.form_id,
        instance=1,
        reason="非本人",
        disputed=["facts"],
        state="open",
        raised_at=clock.now(),
        raised_by=manager.account_id,
        raised_by_name=manager.name,
        due_at=clock.now() + timedelta(days=7),
        version=1,
    )


def test_a_case_whose_data_are_deleted_stays_masked(portal: Portal) -> None:
    assert _publish(portal, "whole") == 302
    with portal.session(portal.world.scope) as session:
        audit = open_audit(session, portal.world, portal.world.vendors[0])
        form = prepared(session, audit)
        session.execute(sa.update(Case).where(Case.case_no == "HC-00001").values(card_sealed=b""))
        confirm_form(session, form, actor=audit.head)
        session.commit()
        form_id = form.id
    portal.work()
    manager = portal.client(portal.world.vendors[0].email(Role.MANAGER))
    text = flat(manager.get(f"/papers/{_paper(portal, form_id).id}/pdf").data)
    assert HIDDEN in text and CARD not in text and f"622202{2:013d}" in text
    with portal.session(portal.world.scope) as session:
        assert session.scalars(sa.select(AssessmentForm)).one().state == "issued"
