"""Pages of forms, links, crises, appeals, seals, papers and their check, of opinions and a notice
made of one, and of the import of clauses: each in every dress."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from portal.audits.appeals.service import raise_appeal
from portal.audits.assessments.service import confirm_form
from portal.audits.assessments.terms import FORM_TERMS
from portal.audits.links import service as links
from portal.audits.models import AssessmentForm, Escalation, Finding
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.notices import seals, timeline
from portal.notices.marks import Mark
from portal.notices.models import Document, SealUse
from portal.notices.rules import Choice
from portal.rectification.opinions import service as opinions
from portal.rectification.rules import NoticeText
from portal.schemes.service import publish
from portal.vendors.clause_imports.service import FLOW
from tenants.rows import new_id
from tests.factories.audits import Audit, hear, open_audit, prepared
from tests.journeys.live import Live
from tests.journeys.people import Person
from tests.journeys.rendering import DRESSES, Dress, render
from tests.journeys.validity import invalid
from tests.notices.office import Office
from tests.notices.signing import certificates, signing
from tests.notices.test_issue import SEAL
from tests.vendors.test_clause_imports import GONE, NEW, RUDE, clause, workbook

pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("nothing_wrong")]
People = Callable[[str], Person]
CLAUSES = "/schemes/penalty_clauses/imports/"
DECIDED = 21
"""Uses of a seal: one more than a page shows."""
FACTS = "通话中连续辱骂客户并威胁上门，" * 20 + "W" * 120
"""Long, and with a word that no line holds."""


@dataclass
class Seeded:
    """What the pages show."""

    waiting: UUID
    issued: UUID
    crisis: UUID
    appeal: UUID
    tokens: dict[str, str]
    papers: dict[str, UUID]
    codes: dict[str, str]
    opinion: UUID
    draft: UUID
    imported: UUID


@pytest.fixture(scope="module")
def office(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The worker signs what it makes."""
    folder = certificates(tmp_path_factory.mktemp("signing"))
    return Office(live.portal, signing(live.portal.settings, folder))


@pytest.fixture(scope="module")
def seeded(live: Live, office: Office) -> Seeded:
    """Forms that wait and one that was issued, with its crisis, appeal and links; papers that
    are superseded, acknowledged, sealed, and unopened."""
    papers = _papers(live, office)
    waiting, issued, crisis, appeal, tokens = _forms(live)
    with live.portal.session(live.portal.world.scope) as session:
        codes = {
            name: session.get_one(Document, (office.vendor.id, papers[name])).verify_code
            for name in ("superseded", "acknowledged")
        }
    opinion, draft = _opinions(live, issued)
    imported = _clauses(live)
    return Seeded(waiting, issued, crisis, appeal, tokens, papers, codes, opinion, draft, imported)


def _opinions(live: Live, form_id: UUID) -> tuple[UUID, UUID]:
    """An opinion that waits, and one that is turned into a draft of a notice."""
    world, ids = live.portal.world, [new_id(), new_id()]
    text = NoticeText(
        "记录要素不全", "audit", "ordinary", FACTS, "第102条", ("补录催收记录", "重新培训"), "", 0
    )
    with live.portal.session(world.scope) as session:
        given = [
            opinions.give(
                session,
                opinion_id=one,
                tenant_id=world.vendors[0].id,
                form_id=form_id,
                text=text,
                actor=world.actor(Role.AUDIT_HEAD),
            )
            for one in ids
        ]
        draft = opinions.turn(session, given[1], actor=world.actor(Role.VENDOR_MANAGER))
        session.commit()
        return ids[0], draft.id


def _clauses(live: Live) -> UUID:
    """An import of clauses that the worker has checked: good rows, and one with two faults."""
    world = live.portal.world
    sent = workbook([RUDE, NEW, GONE, clause("309", points="很多", level="特别严重")])
    with live.portal.session(world.scope) as session:
        admin = world.actor(Role.ADMINISTRATOR)
        row = FLOW.upload(session, io.BytesIO(sent), name="条例.xlsx", actor=admin)
        session.commit()
        imported = row.id
    for _again in range(300):
        with live.portal.session(world.scope) as session:
            if FLOW.get(session, imported).report:
                return imported
        time.sleep(0.2)
    raise AssertionError("the import was not checked")


def _papers(live: Live, office: Office) -> dict[str, UUID]:
    world = live.portal.world
    first = office.issue()
    made = {"superseded": first, "acknowledged": office.issue(supersedes=first)}
    made["unopened"] = office.issue()
    office.acknowledge(made["acknowledged"], Role.MANAGER, Choice.NO_OBJECTION)
    office.acknowledge(made["acknowledged"], Role.TEAM_LEADER, Choice.APPEAL)
    admin = world.actor(Role.ADMINISTRATOR)
    with live.portal.session(world.scope) as session:
        seal, _version = seals.add_picture(session, "恒信公章", SEAL, actor=admin)
        seals.set_rule(session, "rectification_notice", seal.id, actor=admin)
        session.commit()
    made["sealed"] = office.issue()
    for _use in range(DECIDED + 1):
        made["asked"] = office.issue()
    with live.portal.session(world.scope) as session:
        for use in session.scalars(sa.select(SealUse)).all():
            if use.document_id == made["sealed"]:
                seals.grant(session, use.id, actor=admin)
            elif use.document_id != made["asked"]:
                seals.refuse(session, use.id, "仅电子签名即可", actor=admin)
        session.commit()
    _leave_unopened(live, office, made["unopened"])
    return made


def _leave_unopened(live: Live, office: Office, document_id: UUID) -> None:
    """Two days go by after the worker has made the paper: told of, and served by the contract."""
    for _again in range(300):
        if office.revisions(document_id):
            break
        time.sleep(0.2)
    world, later = live.portal.world, clock.now() + timedelta(days=2)
    with clock.frozen(later), live.portal.session(world.scope) as session:
        timeline.sweep_unopened(session, actor=system_actor(world.company_id))
        session.commit()
    assert office.marks(document_id)[-2:] == [Mark.ESCALATED, Mark.SERVED]


def _forms(live: Live) -> tuple[UUID, UUID, UUID, UUID, dict[str, str]]:
    world = live.portal.world
    vendor, rival = world.vendors[:2]
    with live.portal.session(world.scope) as session:
        audit = open_audit(session, world, vendor, 2)
        clip = {"delivery_id": audit.delivery_ids[0], "clip_from": 1, "clip_to": 3}
        _print_cards_whole(session, audit)
        issued = prepared(session, audit, clause_no="303", facts=FACTS, **clip)
        hear(session, issued, audit.head)
        confirm_form(session, issued, actor=audit.head)
        second = open_audit(session, world, vendor, 1, first=11)
        clip = {"delivery_id": second.delivery_ids[0], "clip_from": 1, "clip_to": 3}
        waiting = prepared(session, second, clause_no="102", facts=FACTS, **clip)
        prepared(session, open_audit(session, world, rival, 1))
        tokens = {"replaced": _link(session, issued, audit)}
        tokens["opened"] = _link(session, issued, audit)
        session.commit()
        crisis = session.scalars(sa.select(Escalation.id)).one()
    return waiting.id, issued.id, crisis, _appeal(live, audit, issued.id), tokens


def _print_cards_whole(session: sa.orm.Session, audit: Audit) -> None:
    publish(
        session,
        FORM_TERMS,
        {"card_display": "whole"},
        in_force_from=clock.today(),
        reason="按制度",
        seen_version=0,
        actor=audit.head,
    )


def _link(session: sa.orm.Session, form: AssessmentForm, audit: Audit) -> str:
    return links.make(session, form, "王催收", "HC004", actor=audit.head)


def _appeal(live: Live, audit: Audit, form_id: UUID) -> UUID:
    manager = audit.vendor.actor(Role.MANAGER, live.portal.world.company_id)
    from_vendor = Office(live.portal, live.portal.settings).scope
    with live.portal.session(from_vendor) as session:
        finding = session.scalars(sa.select(Finding).where(Finding.form_id == form_id)).one()
        row = raise_appeal(session, finding, "录音中说话的不是我司人员。", actor=manager)
        session.commit()
        return row.id


@pytest.fixture(scope="module")
def nobody(
    live: Live,
    chromium: Browser,
    problems: list[str],
    seen: dict[str, tuple[str, str]],
    seeded: Seeded,
) -> Iterator[Person]:
    """Somebody without an account, who has opened the one-time link."""
    anyone = Person(live, chromium, "", problems, seen)
    anyone.open(f"/f/{seeded.tokens['opened']}")
    anyone.press("main form button")
    assert "HC-00001" in anyone.text()
    yield anyone
    anyone.context.close()


@pytest.fixture(scope="module")
def tours(
    live: Live, person: People, nobody: Person, seeded: Seeded
) -> list[tuple[Person, list[str]]]:
    """Who looks at which pages."""
    world, vendor = live.portal.world, live.portal.world.vendors[0]
    admin = person(world.email(Role.ADMINISTRATOR))
    admin.open("/seals")
    older = admin.page.locator(".pager a, nav a[href*='cursor=']").last.get_attribute("href") or ""
    assert "cursor=" in older
    stranger = Person(live, nobody.browser, "", nobody.problems, nobody.seen)
    papers = [f"/papers/{one}" for one in seeded.papers.values()]
    form = f"/assessments/{seeded.issued}"
    return [
        (admin, ["/seals", older, "/schemes/form_terms", "/schemes/form_terms/edit"]),
        (admin, [CLAUSES, f"{CLAUSES}{seeded.imported}"]),
        (
            person(world.email(Role.AUDIT_HEAD)),
            [
                "/assessments/",
                "/assessments/signing",
                f"/assessments/signing?form={seeded.waiting}",
                f"/assessments/{seeded.waiting}",
                *(form, f"{form}/links", "/appeals/", f"/appeals/{seeded.appeal}"),
                "/reviews/escalations",
                f"/reviews/escalations/{seeded.crisis}",
            ],
        ),
        (
            person(world.email(Role.GENERAL_MANAGER)),
            ["/reviews/escalations", f"/reviews/escalations/{seeded.crisis}"],
        ),
        (person(world.email(Role.VENDOR_MANAGER)), ["/papers", *papers]),
        (
            person(world.email(Role.VENDOR_MANAGER)),
            [
                "/rectifications/opinions/",
                f"/rectifications/opinions/{seeded.opinion}",
                f"/rectifications/{seeded.draft}/edit",
            ],
        ),
        (
            person(vendor.email(Role.MANAGER)),
            [form, f"{form}/links", "/appeals/", f"/appeals/{seeded.appeal}", "/papers", *papers],
        ),
        (
            nobody,
            [
                f"/f/{seeded.tokens['opened']}",
                f"/f/{seeded.tokens['replaced']}",
                f"/verify/{seeded.codes['acknowledged']}",
                f"/verify/{seeded.codes['acknowledged']}?sha256={'0' * 64}",
                f"/verify/{seeded.codes['superseded']}",
                "/verify/AAAABBBBCCCCDDDD",
            ],
        ),
        (stranger, [f"/f/{seeded.tokens['opened']}"]),
    ]


@pytest.mark.parametrize("dress", [replace(dress, axe=True) for dress in DRESSES], ids=str)
def test_pages_in_every_dress(
    dress: Dress, tours: list[tuple[Person, list[str]]], problems: list[str]
) -> None:
    """Language, headings, ids, width, accessibility, content policy, no English left over."""
    folder = os.environ.get("JOURNEY_SHOTS")
    for at, (who, paths) in enumerate(tours):
        shots = Path(folder) / str(at) if folder else None
        if shots:
            shots.mkdir(exist_ok=True)
        problems += render(who, paths, dress, shots)


def test_pages_are_valid_html(tours: list[tuple[Person, list[str]]]) -> None:
    """Each page as the server sends it."""
    found = [
        f"{path}: {one}"
        for who, paths in tours
        for path in paths
        for one in invalid(who.source(path))
    ]
    assert not found, "\n".join(found)


def test_a_link_is_acknowledged_in_the_browser(nobody: Person, seeded: Seeded) -> None:
    """签收并申诉, on a phone's page without an account."""
    nobody.open(f"/f/{seeded.tokens['opened']}")
    nobody.page.check("#choice-appeal")
    nobody.page.fill("#note", "通话非本人")
    nobody.press("main form[action$='/receipt'] button")
    assert "已于" in nobody.text() and nobody.page.locator("form[action$='/receipt']").count() == 0
