"""One-time links: one person's findings of one form, in one browser, for seven days; no more."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from portal.audits.assessments.service import confirm_form, prepare_form
from portal.audits.links.models import FormLink
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel import settings as settings_module
from portal.kernel.access import Role
from portal.notices.models import Acknowledgement, DocumentStep
from tenants.rows import Base
from tenants.scope import Login, Scope
from tests.conftest import Portal
from tests.factories.audits import fail, open_audit, prepared
from tests.factories.world import MOMENT
from tests.isolation.conftest import owner

Kept = TypeVar("Kept", bound=Base)

pytestmark = pytest.mark.usefixtures("at_work")


def _form(portal: Portal, vendor: int = 0) -> UUID:
    with portal.session(portal.world.scope) as session:
        audit = open_audit(session, portal.world, portal.world.vendors[vendor])
        form = prepared(session, audit)
        confirm_form(session, form, actor=audit.head)
        session.commit()
        return form.id


def _link(portal: Portal, form_id: UUID, vendor: int = 0) -> str:
    """Made by the team leader on the form's page, where it is shown once."""
    owner_of = portal.world.vendors[vendor]
    client = portal.client(owner_of.email(Role.TEAM_LEADER))
    data = {"person": "王催收", "staff_no": f"{owner_of.code}004"}
    page = client.post(f"/assessments/{form_id}/links", data=data)
    assert page.status_code == 200, page.text
    found = re.search(r"/f/([A-Za-z0-9_-]{43})", page.text)
    assert found and found[1] not in client.get(f"/assessments/{form_id}/links").text
    return f"/f/{found[1]}"


def test_from_the_link_to_the_receipt(portal: Portal) -> None:
    """Looking binds nothing; the first browser that opens it is the only one; the receipt stands in
    the paper's timeline and the journal; the token is nowhere in the database."""
    form_id = _form(portal)
    path = _link(portal, form_id)
    agent, other = portal.client(), portal.client()
    for _preview in range(2):
        looked = other.get(path)
        assert looked.status_code == 200 and "HC-00001" not in looked.text
        assert "no-store" in looked.headers["Cache-Control"]
    assert agent.post(f"{path}/open").status_code == 302
    page = agent.get(path).text
    assert "HC-00001" in page and "王催收" in page and "HC-00002" not in page
    assert "周经理" not in page and "/assessments" not in page
    for method, end in (("GET", ""), ("POST", "/open"), ("POST", "/receipt")):
        late = other.open(f"{path}{end}", method=method, data={"choice": "appeal"})
        assert late.status_code == 410 and "已在另一个浏览器打开" in late.text
        assert "HC-00001" not in late.text and "王催收" not in late.text
        unknown = other.open(f"/f/{'x' * 43}{end}", method=method, data={"choice": "appeal"})
        assert unknown.status_code == 404
    assert agent.post(f"{path}/receipt", data={"choice": "maybe"}).status_code == 404
    sent = {"choice": "appeal", "note": "通话非本人"}
    assert agent.post(f"{path}/receipt", data=sent).status_code == 302
    assert agent.post(f"{path}/receipt", data=sent).status_code == 409
    assert "appeal" in {row.choice for row in _rows(portal, FormLink)}
    (receipt,) = _rows(portal, Acknowledgement)
    assert (receipt.part, receipt.name, receipt.choice) == ("责任人", "王催收", "appeal")
    assert [row.name for row in _rows(portal, DocumentStep)] == ["王催收"]
    actions = [row.action for row in _rows(portal, JournalEntry)]
    for verb in ("made", "opened", "answered"):
        assert f"audits.link.{verb}" in actions
    with owner(portal) as connection:
        for table in ("form_links", "journal_entries", "mails", "documents"):
            text = connection.scalar(sa.text(f"select string_agg(t::text, '') from {table} t"))
            assert path[3:] not in (text or "")


def _rows(portal: Portal, model: type[Kept]) -> list[Kept]:
    with portal.session(portal.world.scope) as session:
        return list(session.scalars(sa.select(model)))


def test_it_ends(portal: Portal) -> None:
    """After seven days, or by a later link: who holds it is told so, and sees nothing. With the
    vendor's suspension: like one that never was."""
    form_id = _form(portal)
    first = _link(portal, form_id)
    second = _link(portal, form_id)
    nobody = portal.client()
    replaced = nobody.get(first)
    assert replaced.status_code == 410 and "已由新的链接取代" in replaced.text
    assert nobody.post(f"{first}/open").status_code == 410
    assert nobody.get(second).status_code == 200
    with clock.frozen(MOMENT + timedelta(days=7, minutes=-1)):
        assert nobody.get(second).status_code == 200
    with clock.frozen(MOMENT + timedelta(days=7, minutes=1)):
        ended = nobody.get(second)
        assert ended.status_code == 410 and "2026年11月10日" in ended.text
        assert nobody.post(f"{second}/open").status_code == 410
    with owner(portal) as connection:
        connection.execute(sa.text("update tenants set status = 'suspended' where code = 'HC'"))
    assert nobody.get(second).status_code == 404


def test_it_holds_when_either_wall_is_gone(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two vendors' forms: neither wall alone shows the other's findings on a page."""
    _form(portal, 1)
    path, agent = _link(portal, _form(portal)), portal.client()
    agent.post(f"{path}/open")
    with monkeypatch.context() as patched:
        patched.setattr("tenants.database._vendor_options", lambda scope: ())
        assert "RX-" not in agent.get(path).text
    with owner(portal) as connection:
        for table in ("findings", "cases", "form_links", "assessment_forms"):
            connection.execute(sa.text(f"alter policy vendor_own on {table} using (true)"))
    page = agent.get(path).text
    assert "HC-00001" in page and "RX-" not in page


def test_the_public_login_asks_one_question_and_others_make_none(portal: Portal) -> None:
    form_id = _form(portal)
    with portal.session(Scope(Login.PUBLIC)) as session, pytest.raises(ProgrammingError):
        session.execute(sa.text("select * from form_links"))
    other = portal.client(portal.world.vendors[1].email(Role.MANAGER))
    data = {"person": "王催收", "staff_no": "HC004"}
    assert other.post(f"/assessments/{form_id}/links", data=data).status_code == 404
    own = portal.client(portal.world.vendors[0].email(Role.MANAGER))
    stranger = {"person": "周经理", "staff_no": "HC001"}
    assert own.post(f"/assessments/{form_id}/links", data=stranger).status_code == 404


def test_it_is_limited_by_address(portal: Portal) -> None:
    nobody = portal.client()
    settings_module.install(replace(portal.settings, link_requests=7))
    with clock.frozen(MOMENT):
        answers = [nobody.get(f"/f/{'x' * 43}").status_code for _again in range(9)]
        assert answers == [404] * 7 + [429] * 2
        assert nobody.get(f"/password/{'x' * 43}").status_code == 429, "links of each kind together"
    with clock.frozen(MOMENT + timedelta(seconds=61)):
        assert nobody.get(f"/f/{'x' * 43}").status_code == 404, "a minute later"


def test_the_limit_is_one_for_all_processes(portal: Portal) -> None:
    """Twelve requests of one moment, each on a connection of its own: seven find room. Another
    process counts on; sign-in is as open as before; no address is kept."""
    settings_module.install(replace(portal.settings, link_requests=7))

    def ask(_number: int) -> int:
        return portal.client().get(f"/f/{'x' * 43}").status_code

    with ThreadPoolExecutor(12) as pool:
        answers = sorted(pool.map(ask, range(12)))
    assert answers == [404] * 7 + [429] * 5
    url, key = portal.settings.login_urls()["signin"], "'one-time link 127.0.0.1'"
    counted = f"select count(*) from sign_in_attempts where address_digest = sha256({key}::bytea)"
    other = sa.create_engine(url)
    with other.connect() as connection:
        assert connection.scalar(sa.text(counted)) == 7
        held = connection.scalar(sa.text("select string_agg(t::text, '') from sign_in_attempts t"))
        assert "127.0.0.1" not in held
    other.dispose()
    assert portal.client(portal.world.email(Role.AUDITOR)).get("/").status_code == 200


def test_how_long_a_link_lasts_is_the_schemes(portal: Portal) -> None:
    """Edited like every scheme; a link keeps the days it was made with."""
    form_id = _form(portal)
    admin = portal.client(portal.world.email(Role.ADMINISTRATOR))
    edit = {"link_days": "61", "in_force_from": "2026-11-03", "reason": "试", "seen_version": "0"}
    assert admin.post("/schemes/link_terms/edit", data=edit).status_code == 422
    done = admin.post("/schemes/link_terms/edit", data={**edit, "link_days": "2"})
    assert done.status_code == 302
    path = _link(portal, form_id)
    with clock.frozen(MOMENT + timedelta(days=1, hours=23)):
        assert portal.client().get(path).status_code == 200
    with clock.frozen(MOMENT + timedelta(days=2, minutes=1)):
        assert portal.client().get(path).status_code == 410


def test_a_link_is_of_one_form(portal: Portal) -> None:
    """The same person on two forms of the same vendor: each link shows its own, in one browser."""
    with portal.session(portal.world.scope) as session:
        vendor, made = portal.world.vendors[0], []
        for first in (1, 11):
            audit = open_audit(session, portal.world, vendor, 1, first=first)
            fail(session, audit, repetition=first > 1)
            form = prepare_form(
                session,
                tenant_id=vendor.id,
                request_id=audit.request_id,
                actor=audit.auditor,
            )
            confirm_form(session, form, actor=audit.head)
            made.append(form.id)
        session.commit()
    agent = portal.client()
    paths = [_link(portal, form_id) for form_id in made]
    for path in paths:
        assert agent.post(f"{path}/open").status_code == 302
    one, two = (agent.get(path).text for path in paths)
    assert "HC-00001" in one and "HC-00011" not in one
    assert "HC-00011" in two and "HC-00001" not in two
    assert agent.post(f"{paths[0]}/receipt", data={"choice": "no_objection"}).status_code == 302
    answered = {row.form_id for row in _rows(portal, FormLink) if row.answered_at}
    assert answered == {made[0]}
