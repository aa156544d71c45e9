"""Forms signed in one sitting, each clip heard beside its clause; never one's own (A5, A6)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audits.assessments.service import prepare_form, return_form
from portal.audits.models import AssessmentForm, ClipHearing, Finding
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role
from tests.conftest import Portal
from tests.factories.audits import Audit, fail, hear, open_audit, pass_others, prepared
from tests.factories.world import MOMENT

pytestmark = pytest.mark.usefixtures("at_work")


def _two(portal: Portal) -> list[AssessmentForm]:
    """A form of each of two vendors, prepared by the auditor; the first has a clip of 8 seconds."""
    with portal.session(portal.world.scope) as session:
        first = open_audit(session, portal.world, portal.world.vendors[0])
        clip = {"delivery_id": first.delivery_ids[0], "clip_from": 1, "clip_to": 9}
        made = [prepared(session, first, **clip)]
        made.append(prepared(session, open_audit(session, portal.world, portal.world.vendors[1])))
        return made


def _data(forms: list[AssessmentForm]) -> dict[str, object]:
    versions = {f"version-{form.id}": str(form.version) for form in forms}
    return {"form": [str(form.id) for form in forms], **versions}


def _clip(portal: Portal, form: AssessmentForm) -> str:
    with portal.session(portal.world.scope) as session:
        wanted = sa.select(Finding.id).where(Finding.form_id == form.id)
        return f"/assessments/signing/{form.id}/clips/{session.scalars(wanted).one()}"


def _states(portal: Portal) -> dict[UUID, str]:
    with portal.session(portal.world.scope) as session:
        return dict(session.execute(sa.select(AssessmentForm.id, AssessmentForm.state)).all())


def test_a_batch_is_signed_together_once_its_clips_are_heard(portal: Portal) -> None:
    """What the server did not send, or sent too short a while ago, was not heard, whatever the page
    says; the other form of the batch is issued."""
    forms = _two(portal)
    clip, lone = _clip(portal, forms[0]), _clip(portal, forms[1])
    client = portal.client(portal.world.email(Role.AUDIT_HEAD))
    page = client.get("/assessments/signing").text
    assert f"{clip}#t=1,9" in page and page.count('name="form"') == 2
    assert client.get(lone).status_code == 404, "it has no recording"
    early = client.post(clip, headers={"HX-Request": "true"})
    assert early.status_code == 422 and "HC-00001" in early.text, "never sent"
    refused = client.post("/assessments/signing", data={**_data(forms), "heard": "all"})
    assert refused.status_code == 409, "the clip was not heard; the other form is issued"
    assert "JH-RX-2026-0001" in refused.text and "HC-00001" in refused.text
    states = _states(portal)
    assert [states[form.id] for form in forms] == ["prepared", "issued"]
    sound = client.get(clip, headers={"Range": "bytes=0-"})
    assert sound.status_code == 206 and sound.mimetype == "audio/wav"
    soon, later = MOMENT + timedelta(seconds=3), MOMENT + timedelta(seconds=4)
    with clock.frozen(soon):
        assert client.post(clip, headers={"HX-Request": "true"}).status_code == 422
        assert client.post("/assessments/signing", data=_data(forms[:1])).status_code == 409
    with clock.frozen(later):
        assert client.get(clip, headers={"Range": "bytes=4096-"}).status_code == 206
        told = client.post(clip, headers={"HX-Request": "true"})
        assert told.status_code == 200 and "data-heard" not in told.text
        assert client.post(clip).status_code == 302, "said twice, without a script"
        assert client.post("/assessments/signing", data=_data(forms[:1])).status_code == 302
    _on_record(portal, later)
    assert client.get(clip).status_code == 404, "it is signed"
    assert client.post("/assessments/signing", data={}).status_code == 422


def _on_record(portal: Portal, when: object) -> None:
    """One hearing by the head, journalled, that does not change; both forms have numbers."""
    with portal.session(portal.world.scope) as session:
        (row,) = session.scalars(sa.select(ClipHearing)).all()
        assert (row.heard_by_name, row.sent_at, row.heard_at) == ("公司audit_head", MOMENT, when)
        actions = list(session.scalars(sa.select(JournalEntry.action)))
        assert actions.count("audits.clip.heard") == 1
        assert actions.count("materials.recording.opened") == 1, "once an opening, not a range"
        numbers = session.scalars(sa.select(AssessmentForm.number)).all()
        assert sorted(map(str, numbers)) == ["JH-HC-2026-0001", "JH-RX-2026-0001"]
    for attack in ("heard_at = now()", "heard_at = NULL", "heard_by_name = 'x'"):
        with (
            portal.session(portal.world.scope) as session,
            pytest.raises(IntegrityError, match="does not change"),
        ):
            session.execute(sa.text(f"UPDATE clip_hearings SET {attack}"))


def test_whoever_signs_has_heard_this_form(portal: Portal) -> None:
    """Another head's hearing does not do, nor that of a form that was returned since; the form's
    own page signs no more than the sitting."""
    form = _two(portal)[0]
    head, world = portal.client(portal.world.email(Role.AUDIT_HEAD)), portal.world
    with portal.session(world.scope) as session:
        row = session.get_one(AssessmentForm, (form.tenant_id, form.id))
        hear(session, row, world.actor(Role.AUDITOR))
        session.commit()
    confirm = f"/assessments/{form.id}/confirm"
    page = head.get(f"/assessments/{form.id}").text
    assert confirm not in page and f"/assessments/signing?form={form.id}" in page
    assert head.get(f"/assessments/signing?form={form.id}").text.count('name="form"') == 1
    assert head.post(confirm, data={"version": form.version}).status_code == 409
    with portal.session(world.scope) as session:
        row = session.get_one(AssessmentForm, (form.tenant_id, form.id))
        hear(session, row, world.actor(Role.AUDIT_HEAD))
        session.commit()
    assert confirm in head.get(f"/assessments/{form.id}").text
    with portal.session(world.scope) as session:
        row = session.get_one(AssessmentForm, (form.tenant_id, form.id))
        return_form(session, row, "处理意见有误", actor=world.actor(Role.AUDIT_HEAD))
        again = prepare_form(
            session,
            tenant_id=form.tenant_id,
            request_id=form.request_id,
            actor=world.actor(Role.AUDITOR),
        )
        session.commit()
    answer = head.post("/assessments/signing", data=_data([again]))
    assert answer.status_code == 409 and _states(portal)[again.id] == "prepared"


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
    assert _states(portal) == {own.id: "prepared"}
