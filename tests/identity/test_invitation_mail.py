"""The one-time link for a password by mail: to the person only, in the person's language."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from portal.app.mailing import Post
from portal.identity.models import Account
from portal.kernel.access import Role
from portal.notifications.models import Mail
from tenants.scope import Login, Scope
from tests.conftest import Portal
from tests.notifications.post_office import PostOffice
from tests.notifications.test_mail import office, post

__all__ = ["office", "post"]
pytestmark = pytest.mark.usefixtures("at_work")
NEW = "lin@hc.example.com"
CHOSEN = "a password of my own"


def _account(portal: Portal) -> Account:
    with portal.session(Scope(Login.SIGN_IN)) as session:
        return session.scalars(sa.select(Account).where(Account.email == NEW)).one()


def _mailed(office: PostOffice) -> tuple[str, str]:
    """The subject and the link of the newest mail to the person; the same link in both bodies."""
    mail = [one for one in office.taken if one["To"] == NEW][-1]
    parts = [mail.get_body((kind,)) for kind in ("plain", "html")]
    links = {
        link
        for part in parts
        if part is not None
        for link in re.findall(r"/password/[A-Za-z0-9_-]{43}", part.get_content())
    }
    assert len(links) == 1
    return mail["Subject"], links.pop()


def test_the_mail_goes_to_the_person_and_the_link_to_nobody_else(
    portal: Portal, office: PostOffice, post: Post
) -> None:
    vendor = portal.world.vendors[0]
    admin = portal.client(portal.world.email(Role.ADMINISTRATOR))
    data = {"name": "Lin", "email": NEW, "roles": ["manager"], "locale": "en", "ground": ""}
    answer = admin.post(f"/accounts/new?org={vendor.id}", data=data)
    page = admin.get(answer.location).text
    assert answer.status_code == 302 and "/password/" not in page and NEW in page
    post.run()
    subject, link = _mailed(office)
    assert "You have an account. Choose your password" in subject
    person = portal.client()
    first = person.get(link, headers={"Accept-Language": "zh-CN"})
    assert "Choose your password" in first.text, "in the person's language"
    assert first.headers["Cache-Control"] == "private, no-store"
    assert person.post(link, data={"new": CHOSEN, "again": CHOSEN}).status_code == 302
    assert person.post("/sign-in", data={"email": NEW, "password": CHOSEN}).status_code == 302
    assert person.get("/cases/").status_code == 200
    office.refuse[NEW] = "550 5.1.1 no such person"
    row = _account(portal)
    admin.post(f"/accounts/{row.id}/link", data={"version": str(row.version)})
    post.run()
    with portal.session(portal.world.scope) as session:
        mails = session.scalars(sa.select(Mail).order_by(Mail.id)).all()
        assert [(one.state, one.text, one.html) for one in mails] == [
            ("sent", "", ""),
            ("dead", "", ""),
        ], "the link is kept nowhere"
        assert {one.address for one in mails} == {NEW}
        again = admin.post(f"/mails/{mails[1].id}/again", follow_redirects=True).text
    assert "请在该人员页面重新生成链接" in again and "设置密码的一次性链接" in again
