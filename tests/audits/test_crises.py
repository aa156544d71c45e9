"""What is severe goes to the general manager's office at once, with its crisis record (A5)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from portal.audits.models import CrisisStep, Escalation
from portal.kernel.access import Role
from portal.notifications.kinds import MessageKind
from portal.notifications.models import Notification
from tests.conftest import Portal
from tests.factories.audits import fail, open_audit

pytestmark = pytest.mark.usefixtures("at_work")


def _row(portal: Portal) -> Escalation:
    with portal.session(portal.world.scope) as session:
        return session.scalars(sa.select(Escalation)).one()


def test_from_the_report_to_its_end(portal: Portal) -> None:
    with portal.session(portal.world.scope) as session:
        audit = open_audit(session, portal.world, portal.world.vendors[0])
        fail(session, audit, clause_no="303")
        session.commit()
    row = _row(portal)
    path = f"/reviews/escalations/{row.id}"
    with portal.session(portal.world.scope) as session:
        told = session.scalars(sa.select(Notification).where(Notification.path == path)).one()
        assert told.roles == ["general_manager"] and told.kind == MessageKind.WORK
        assert told.at == row.raised_at, "at once"
    gm = portal.client(portal.world.email(Role.GENERAL_MANAGER))
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    begin = {"begin": "1", "reason": "涉及暴力威胁", "lead": "赵总"}
    assert head.post(f"{path}/decision", data={**begin, "version": "1"}).status_code == 403
    nobody = {**begin, "lead": "", "version": "1"}
    assert gm.post(f"{path}/decision", data=nobody).status_code == 422
    assert gm.post(f"{path}/decision", data={**begin, "version": "1"}).status_code == 302
    assert gm.post(f"{path}/decision", data={**begin, "version": "2"}).status_code == 409
    assert _row(portal).seen_at is not None
    measure = {"kind": "measure", "text": "责任人停岗", "owner": "周经理", "due_on": "2026-11-04"}
    without = {**measure, "owner": "", "version": "2"}
    assert head.post(f"{path}/steps", data=without).status_code == 422
    assert head.post(f"{path}/steps", data={**measure, "version": "2"}).status_code == 302
    ended = {"conclusion": "已妥善处理", "version": "3"}
    assert gm.post(f"{path}/close", data=ended).status_code == 409, "a measure is not done"
    with portal.session(portal.world.scope) as session:
        step = session.scalars(sa.select(CrisisStep)).one()
    assert head.post(f"{path}/steps/{step.id}/done", data={"version": "3"}).status_code == 302
    assert gm.post(f"{path}/close", data={**ended, "version": "4"}).status_code == 302
    assert _row(portal).state == "closed"
    assert head.post(f"{path}/steps", data={**measure, "version": "5"}).status_code == 409
    assert "已妥善处理" in head.get(path).text
    vendor = portal.client(portal.world.vendors[0].email(Role.MANAGER))
    assert vendor.get(path).status_code == 404


def test_no_crisis_has_its_reason(portal: Portal) -> None:
    with portal.session(portal.world.scope) as session:
        audit = open_audit(session, portal.world, portal.world.vendors[0])
        fail(session, audit, clause_no="302")
        session.commit()
    path = f"/reviews/escalations/{_row(portal).id}/decision"
    gm = portal.client(portal.world.email(Role.GENERAL_MANAGER))
    for reason, status in ((" ", 422), ("个别用语，已停岗", 302)):
        answer = gm.post(path, data={"begin": "0", "reason": reason, "version": "1"})
        assert answer.status_code == status
    assert _row(portal).state == "dismissed"
