"""Where a lost point is seen, by whom (UX 15)."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.audits.assessments.service import confirm_form
from portal.audits.models import AssessmentForm, Finding
from portal.kernel.access import Role
from portal.scoring.facts import Link
from portal.scoring.queries import lost_lines
from portal.scoring.rules import Line, Score
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.audits import open_audit, prepared

pytestmark = pytest.mark.usefixtures("at_work")
NOTHING = Score(Decimal(0), Decimal(0), "A", Decimal(1), True, (), ())


def test_a_failed_review_leads_the_vendor_to_its_finding(portal: Portal) -> None:
    """The company opens the review; a vendor sees none, but the issued form with the finding."""
    vendor = portal.world.vendors[0]
    with portal.session(portal.world.scope) as session:
        audit = open_audit(session, portal.world, vendor, 2)
        form_id = prepared(session, audit).id
    failed = audit.review_ids[0]
    line = ("audit", "reviews", Line(Decimal(5), "reviews.missed", {}, Link("review", failed)))

    def path(scope: Scope) -> str:
        with portal.session(scope) as session:
            company = scope == portal.world.scope
            return lost_lines(session, NOTHING, [line], company=company)[0].path

    assert path(portal.world.scope) == f"/reviews/{failed}"
    assert path(Scope.vendor(vendor.id)) == ""
    with portal.session(portal.world.scope) as session:
        form = session.scalars(sa.select(AssessmentForm)).one()
        confirm_form(session, form, actor=audit.head)
        session.commit()
        finding_id = session.scalars(sa.select(Finding.id)).one()
    wanted = f"/assessments/{form_id}#finding-{finding_id}"
    assert path(Scope.vendor(vendor.id)) == wanted
    assert path(Scope.vendor(portal.world.vendors[1].id)) == ""
    manager = portal.client(vendor.email(Role.MANAGER))
    assert f'id="finding-{finding_id}"' in manager.get(wanted.partition("#")[0]).text
