"""Where a lost point is seen, by whom (UX 15)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.audits.assessments.service import confirm_form
from portal.audits.models import AssessmentForm, Finding
from portal.kernel.access import Actor, Role
from portal.scoring.addresses import opens
from portal.scoring.facts import Link
from portal.scoring.models import Score
from portal.scoring.queries import lost_lines
from portal.scoring.rules import Line
from portal.scoring.rules import Score as Result
from portal.scoring.snapshot import freeze
from portal.vendors.models import Project
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.audits import open_audit, prepared

pytestmark = pytest.mark.usefixtures("at_work")
NOTHING = Result(Decimal(0), Decimal(0), "A", Decimal(1), True, (), ())


def path(portal: Portal, actor: Actor, line: Line) -> str:
    """Where this person is led from a lost point of the first vendor's October."""
    world = portal.world
    scope = world.scope if actor.is_company else Scope.vendor(actor.tenant_id)
    score = Score(tenant_id=world.vendors[0].id, period="2026-10", result=freeze(NOTHING))
    with portal.session(scope) as session:
        lines = [("audit", "reviews", line)]
        return lost_lines(session, score, lines, opened=opens(actor))[0].path


def test_a_failed_review_leads_to_what_the_reader_may_open(portal: Portal) -> None:
    """Auditors open the review; a vendor manager and the vendor, who see none, the issued form
    with the finding; finance, who sees no forms, the form's paper once it is issued."""
    world, vendor = portal.world, portal.world.vendors[0]
    with portal.session(world.scope) as session:
        audit = open_audit(session, world, vendor, 2)
        form_id = prepared(session, audit).id
    failed = audit.review_ids[0]
    line = Line(Decimal(5), "reviews.missed", {"case_no": "HC-00001"}, Link("review", failed))
    theirs = vendor.actor(Role.MANAGER, world.company_id)
    assert path(portal, world.actor(Role.AUDITOR), line) == f"/reviews/{failed}"
    assert path(portal, theirs, line) == ""
    assert path(portal, world.actor(Role.FINANCE), line) == ""
    with portal.session(world.scope) as session:
        form = session.scalars(sa.select(AssessmentForm)).one()
        confirm_form(session, form, actor=audit.head)
        session.commit()
        finding_id = session.scalars(sa.select(Finding.id)).one()
    wanted = f"/assessments/{form_id}#finding-{finding_id}"
    assert path(portal, theirs, line) == wanted
    assert path(portal, world.actor(Role.VENDOR_MANAGER), line) == wanted
    paper = path(portal, world.actor(Role.FINANCE), line)
    assert paper.startswith("/papers/")
    assert portal.client(world.email(Role.FINANCE)).get(paper).status_code == 200
    other = world.vendors[1].actor(Role.MANAGER, world.company_id)
    assert path(portal, other, line) == ""
    manager = portal.client(vendor.email(Role.MANAGER))
    assert f'id="finding-{finding_id}"' in manager.get(wanted.partition("#")[0]).text


def test_recovery_leads_to_the_receipts_behind_it(portal: Portal) -> None:
    """Of that vendor, project, age band and month; to the cases for whom receipts are closed."""
    world, vendor = portal.world, portal.world.vendors[0]
    with portal.session(world.scope) as session:
        project: UUID = session.scalars(
            sa.select(Project.id).where(Project.tenant_id == vendor.id)
        ).one()
    line = Line(Decimal(1), "recovery.below", {"age": "M6+"}, Link("project", project))
    cases = f"/cases/?vendor={vendor.id}&project={project}&band=M6%2B"
    assert path(portal, world.actor(Role.FINANCE), line) == (
        f"/receipts/?vendor={vendor.id}&project={project}&band=M6%2B&period=2026-10"
    )
    assert path(portal, world.actor(Role.AUDITOR), line) == cases
    assert path(portal, vendor.actor(Role.MANAGER, world.company_id), line) == cases
