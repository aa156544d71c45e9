"""Forms signed in one sitting, each clip heard beside its clause; never one's own (A5, A6)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from portal.audits.assessments.service import prepare_form
from portal.audits.models import AssessmentForm, ClipHearing, Finding
from portal.kernel.access import Role
from tests.conftest import Portal
from tests.factories.audits import Audit, fail, open_audit, pass_others, prepared

pytestmark = pytest.mark.usefixtures("at_work")


def _two(portal: Portal) -> list[AssessmentForm]:
    """A form of each of two vendors, prepared by the auditor; the first has a clip."""
    with portal.session(portal.world.scope) as session:
        first = open_audit(session, portal.world, portal.world.vendors[0])
        clip = {"delivery_id": first.delivery_ids[0], "clip_from": 1, "clip_to": 3}
        made = [prepared(session, first, **clip)]
        made.append(prepared(session, open_audit(session, portal.world, portal.world.vendors[1])))
        return made


def _data(forms: list[AssessmentForm], *heard: object) -> dict[str, object]:
    versions = {f"version-{form.id}": str(form.version) for form in forms}
    return {"form": [str(f.id) for f in forms], "heard": [str(h) for h in heard], **versions}


def test_a_batch_is_signed_together_once_its_clips_are_heard(portal: Portal) -> None:
    forms = _two(portal)
    client = portal.client(portal.world.email(Role.AUDIT_HEAD))
    page = client.get("/assessments/signing").text
    assert "#t=1,3" in page and page.count('name="form"') == 2
    refused = client.post("/assessments/signing", data=_data(forms))
    assert refused.status_code == 409, "the clip was not heard; the other form is issued"
    assert "JH-RX-2026-0001" in refused.text
    with portal.session(portal.world.scope) as session:
        states = dict(session.execute(sa.select(AssessmentForm.id, AssessmentForm.state)).all())
        assert [states[form.id] for form in forms] == ["prepared", "issued"]
        clip = session.scalars(sa.select(Finding).where(Finding.delivery_id.is_not(None))).one()
    done = client.post("/assessments/signing", data=_data(forms[:1], clip.id))
    assert done.status_code == 302
    with portal.session(portal.world.scope) as session:
        (heard,) = session.scalars(sa.select(ClipHearing)).all()
        assert heard.finding_id == clip.id and heard.heard_by_name == "公司audit_head"
        numbers = session.scalars(sa.select(AssessmentForm.number)).all()
        assert sorted(numbers) == ["JH-HC-2026-0001", "JH-RX-2026-0001"]
    assert client.post("/assessments/signing", data={}).status_code == 422


def test_the_preparer_does_not_sign_and_a_changed_form_waits(portal: Portal) -> None:
    with portal.session(portal.world.scope) as session:
        audit: Audit = open_audit(session, portal.world, portal.world.vendors[0])
        fail(session, audit)
        pass_others(session, audit, (1, 2))
        own = prepare_form(
            session, tenant_id=audit.vendor.id, request_id=audit.request_id, actor=audit.head
        )
        session.commit()
    client = portal.client(portal.world.email(Role.AUDIT_HEAD))
    assert str(own.id) not in client.get("/assessments/signing").text
    assert client.post("/assessments/signing", data=_data([own])).status_code == 409
    stale = {**_data([own]), f"version-{own.id}": "7"}
    assert client.post("/assessments/signing", data=stale).status_code == 409
    auditor = portal.client(portal.world.email(Role.AUDITOR))
    assert auditor.get("/assessments/signing").status_code == 403
    with portal.session(portal.world.scope) as session:
        assert session.scalars(sa.select(AssessmentForm.state)).one() == "prepared"
