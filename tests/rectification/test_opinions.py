"""整改意见 → 整改通知: who gives, who turns, who issues, from what (A10, C2.4)."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.kernel.access import REGISTRY, Role
from portal.notices.models import Document
from portal.notifications.models import Notification
from portal.rectification.models import Opinion, Rectification
from tenants.rows import new_id
from tests.conftest import Portal

pytestmark = pytest.mark.usefixtures("at_work")

TEXT = {
    "level": "ordinary",
    "title": "催收记录不完整",
    "facts": "抽查十件个案，三件催收记录缺要素。",
    "grounds": "《不规范催收处罚条例》第102条",
    "demands": "补录催收记录\n重新培训",
}


def _give(portal: Portal) -> UUID:
    opinion_id = new_id()
    client = portal.client(portal.world.email(Role.AUDIT_HEAD))
    data = {**TEXT, "opinion_id": str(opinion_id), "vendor": str(portal.world.vendors[0].id)}
    for _twice in range(2):
        assert client.post("/rectifications/opinions/new", data=data).status_code == 302
    return opinion_id


def _opinion(portal: Portal) -> Opinion:
    with portal.session(portal.world.scope) as session:
        return session.scalars(sa.select(Opinion)).one()


def test_the_audit_gives_and_the_vendor_manager_issues(portal: Portal) -> None:
    """YJ-HC-2026-0001 by the audit head becomes a notice of the vendor manager's, which names it as
    its source, its issuer and its department."""
    path = f"/rectifications/opinions/{_give(portal)}"
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    for refused in (f"{path}/turn", "/rectifications/new"):
        assert head.post(refused, data={"version": "1"}).status_code == 403
    manager = portal.client(portal.world.email(Role.VENDOR_MANAGER))
    assert "YJ-HC-2026-0001" in manager.get("/rectifications/opinions/").text
    assert manager.post(f"{path}/turn", data={"version": "1"}).status_code == 302
    assert manager.post(f"{path}/turn", data={"version": "2"}).status_code == 409
    with portal.session(portal.world.scope) as session:
        notice = session.scalars(sa.select(Rectification)).one()
        assert (notice.source, notice.source_reference) == ("audit", "YJ-HC-2026-0001")
        told = session.scalars(sa.select(Notification).where(Notification.path == path)).all()
        assert [set(one.roles) for one in told] == [{"vendor_manager"}, {"auditor", "audit_head"}]
    issued = manager.post(f"/rectifications/{notice.id}/issue", data={"version": notice.version})
    assert issued.status_code == 302
    with portal.session(portal.world.scope) as session:
        paper = session.scalars(sa.select(Document)).one()
        assert paper.content["source_reference"] == "YJ-HC-2026-0001"
        assert paper.content["issuer"]["department"] == "委外管理部"
        notice = session.scalars(sa.select(Rectification)).one()
        assert notice.issued_by_name == "公司vendor_manager"
    vendor = portal.client(portal.world.vendors[0].email(Role.MANAGER))
    page = vendor.get(f"/rectifications/{notice.id}").text
    assert "YJ-HC-2026-0001" in page and "/rectifications/opinions" not in page
    assert vendor.get(path).status_code == 404


def test_declined_with_a_reason_that_the_audit_reads(portal: Portal) -> None:
    path = f"/rectifications/opinions/{_give(portal)}"
    manager = portal.client(portal.world.email(Role.VENDOR_MANAGER))
    empty = manager.post(f"{path}/decline", data={"version": "1", "reason": " "})
    assert empty.status_code == 422
    done = manager.post(f"{path}/decline", data={"version": "1", "reason": "已口头整改"})
    assert done.status_code == 302 and _opinion(portal).state == "declined"
    assert "已口头整改" in portal.client(portal.world.email(Role.AUDITOR)).get(path).text


@pytest.mark.parametrize("source", ["assessment", "complaint", "regulator", "inspection"])
def test_every_source_names_its_reference(portal: Portal, source: str) -> None:
    """A notice from an assessment, a complaint, the regulator or an inspection says which."""
    manager = portal.client(portal.world.email(Role.VENDOR_MANAGER))
    vendor = str(portal.world.vendors[0].id)
    begun = manager.get(f"/rectifications/new?source={source}&vendor={vendor}&reference=X-1").text
    assert 'value="X-1"' in begun
    draft_id = new_id()
    data = {**TEXT, "draft_id": str(draft_id), "vendor": vendor, "source": source}
    data |= {"consequence": "计入考核"}
    assert manager.post("/rectifications/new", data=data).status_code == 302
    path = f"/rectifications/{draft_id}"
    assert manager.post(f"{path}/issue", data={"version": "1"}).status_code == 422
    data |= {"source_reference": "监管函〔2026〕12号", "version": "1"}
    assert manager.post(f"{path}/edit", data=data).status_code == 302
    assert manager.post(f"{path}/issue", data={"version": "2"}).status_code == 302
    reader = portal.client(portal.world.vendors[0].email(Role.MANAGER))
    assert "监管函〔2026〕12号" in reader.get(path).text


def test_only_the_vendor_management_writes_notices() -> None:
    assert REGISTRY["rectification:notice:manage"].roles == {Role.VENDOR_MANAGER}
    assert Role.VENDOR_MANAGER not in REGISTRY["rectification:opinion:give"].roles
