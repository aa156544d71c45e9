"""The one-time link of a person responsible by mail (A5): over real SMTP, into one browser."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.app.mailing import Post
from portal.audits.assessments.service import confirm_form
from portal.audits.links.models import FormLink
from portal.kernel import clock
from portal.kernel.access import Role
from portal.notifications.models import Mail
from tests.conftest import Portal
from tests.factories.audits import open_audit, prepared
from tests.factories.world import MOMENT
from tests.notifications.post_office import PostOffice
from tests.notifications.test_mail import office, post

__all__ = ["office", "post"]
pytestmark = pytest.mark.usefixtures("at_work")
ADDRESS = "wang@example.com"
SECRETS = ("HC-00001", "张例", "6222", "138", "王催收", "HC004", "JH-", "华诚", "301", "语气恶劣")
"""Nothing of the debtor, the case, the form, the person or the vendor stands in the mail."""


def _form(portal: Portal) -> UUID:
    with portal.session(portal.world.scope) as session:
        audit = open_audit(session, portal.world, portal.world.vendors[0])
        form = prepared(session, audit)
        confirm_form(session, form, actor=audit.head)
        session.commit()
        return form.id


def _make(portal: Portal, form_id: UUID, to: str = ADDRESS) -> int:
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    data = {"person": "王催收", "staff_no": "HC004", "mail_to": to}
    answer = head.post(f"/assessments/{form_id}/links", data=data)
    assert "/f/" not in answer.text, "a mailed link is shown to nobody"
    return answer.status_code


def _link(office: PostOffice) -> str:
    """The address in the newest mail, the same in both of its bodies; nothing else of anybody."""
    mail = [one for one in office.taken if one["To"] == ADDRESS][-1]
    assert ADDRESS in office.recipients and not list(mail.iter_attachments())
    parts = [mail.get_body((kind,)) for kind in ("plain", "html")]
    bodies = [part.get_content() for part in parts if part is not None]
    found: set[str] = {one for body in bodies for one in re.findall(r"/f/[A-Za-z0-9_-]{43}", body)}
    assert len(bodies) == 2
    (link,) = found
    # Made of chance: the id, and the line between the bodies.
    told = {
        name: value for name, value in mail.items() if name not in ("Message-ID", "Content-Type")
    }
    seen = "\n".join([*bodies, *(f"{name}: {value}" for name, value in told.items())])
    for secret in SECRETS:
        assert secret not in seen.replace(link, ""), secret
    assert "7 日内" in seen
    return link


def test_it_arrives_opens_once_and_is_then_refused(
    portal: Portal, office: PostOffice, post: Post
) -> None:
    form_id = _form(portal)
    assert _make(portal, form_id, "no address") == 422
    assert _make(portal, form_id) == 302
    post.run()
    own = _link(office)
    token = own.rpartition("/")[2]
    with portal.session(portal.world.scope) as session:
        (mail,) = session.scalars(sa.select(Mail).where(Mail.address == ADDRESS))
        assert (mail.state, mail.text, mail.html) == ("sent", "", ""), "the token is kept nowhere"
        link = session.scalars(sa.select(FormLink)).one()
        assert token.encode() not in link.token_hash and link.opened_at is None
    agent, thief = portal.client(), portal.client()
    assert "HC-00001" not in agent.get(own).text
    assert agent.post(f"{own}/open").status_code == 302
    assert "HC-00001" in agent.get(own).text and "张例" not in agent.get(own).text
    for refused in (thief.get(own), thief.post(f"{own}/open")):
        assert refused.status_code == 410 and "已在另一个浏览器打开" in refused.text
    assert _make(portal, form_id) == 302
    post.run()
    later = _link(office)
    replaced = agent.get(own)
    assert later != own and replaced.status_code == 410 and "已由新的链接取代" in replaced.text
    with clock.frozen(MOMENT + timedelta(days=8)):
        ended = thief.get(later)
        assert ended.status_code == 410 and "现已失效" in ended.text


def test_a_mail_that_nobody_takes_keeps_no_token(
    portal: Portal, office: PostOffice, post: Post
) -> None:
    """Refused for good: blanked as well; it is not sent again, but made anew."""
    office.refuse[ADDRESS] = "550 5.1.1 no such person"
    form_id = _form(portal)
    assert _make(portal, form_id) == 302
    post.run()
    with portal.session(portal.world.scope) as session:
        (mail,) = session.scalars(sa.select(Mail).where(Mail.address == ADDRESS))
        assert (mail.state, mail.text, mail.html) == ("dead", "", "")
    office.refuse.clear()
    assert _make(portal, form_id) == 302
    post.run()
    assert portal.client().get(_link(office)).status_code == 200
