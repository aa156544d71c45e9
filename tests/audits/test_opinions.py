"""Calibration: a share of judged cases, judged once more and blindly; how far both agree."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from portal.audits.findings.service import save_finding
from portal.audits.reviews import opinions, stages
from portal.audits.reviews.models import Listening
from portal.audits.reviews.rules import Agreement, agreement, drawn_for_opinion
from portal.audits.reviews.service import save_notes
from portal.audits.reviews.terms import REVIEW_TERMS, default_terms
from portal.identity.service import create_account
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict
from portal.schemes.service import publish
from tenants.scope import Login, Scope
from tests.conftest import Portal
from tests.factories.audits import Audit, judge_twice, open_audit, text
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.usefixtures("at_work")
THIRD = "third@hengxin.example.com"


def test_kappa_of_worked_examples() -> None:
    """Cohen (1960) by hand: 20/5/10/15 of 50: observed 0.70, by chance 0.50, kappa 0.40."""
    pairs = {(True, True): 20, (True, False): 5, (False, True): 10, (False, False): 15}
    found = Agreement(pairs)
    assert (found.cases, found.agreed, found.percent) == (50, 35, 70.0)
    assert found.kappa == pytest.approx(0.4)
    assert agreement([(True, False), (False, True)]).kappa == -1
    assert agreement([(True, True)] * 7).kappa is None, "chance alone explains it"
    assert (agreement([]).percent, agreement([]).kappa) == (None, None)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_kappa_is_symmetric_and_bounded(pairs: list[tuple[bool, bool]]) -> None:
    one, other = agreement(pairs), agreement((b, a) for a, b in pairs)
    assert one.kappa == other.kappa and one.agreed == other.agreed
    if one.kappa is not None:
        assert -1 <= one.kappa <= 1
        assert (one.kappa == 1) == (one.agreed == one.cases)
    assert Counter(one.both) == Counter(pairs)


def test_the_share_is_what_the_terms_say() -> None:
    for percent in (0, 1, 10, 100):
        assert sum(drawn_for_opinion(percent, lot) for lot in range(100)) == percent


@pytest.fixture
def audit(portal: Portal) -> Audit:
    """Two judged cases, all of them drawn for an opinion; a third auditor who heard neither."""
    with portal.session(Scope(Login.SIGN_IN)) as session:
        create_account(
            session,
            tenant_id=portal.world.company_id,
            email=THIRD,
            name="第三人",
            roles={Role.AUDITOR},
            password=PASSWORD,
        )
        session.commit()
    with portal.session(portal.world.scope) as session:
        made = open_audit(session, portal.world, portal.world.vendors[0], 2)
        publish(
            session,
            REVIEW_TERMS,
            {**default_terms(), "opinion_percent": 100},
            in_force_from=date(2026, 11, 1),
            reason="全部盲评",
            seen_version=0,
            actor=made.head,
        )
        save_notes(session, made.review(session), "语气很差", actor=made.auditor)
        save_finding(session, made.review(session), text(made), actor=made.auditor)
        judge_twice(session, made, made.review(session), passed=False)
        judge_twice(session, made, made.review(session, 1), passed=True)
        session.commit()
    return made


def _opinion(portal: Portal, audit: Audit, position: int) -> Listening:
    with portal.session(portal.world.scope) as session:
        row = session.scalars(
            sa.select(Listening).where(
                Listening.kind == "opinion", Listening.review_id == audit.review_ids[position]
            )
        ).one()
        session.expunge(row)
        return row


def test_an_opinion_is_blind_until_it_is_given(portal: Portal, audit: Audit) -> None:
    failed, passed = (_opinion(portal, audit, position) for position in (0, 1))
    third = portal.client(THIRD)
    page = third.get("/reviews/opinions/").text
    assert f"/reviews/opinions/{failed.id}/take" in page
    assert third.get(f"/reviews/opinions/{failed.id}").status_code == 404, "taken first"
    taken = third.post(f"/reviews/opinions/{failed.id}/take")
    assert taken.location == f"/reviews/opinions/{failed.id}"
    page = third.get(taken.location).text
    assert f"/files/{audit.delivery_ids[0]}/audio" in page and "HC-00001" in page
    for hidden in ("语气很差", "通话中语气恶劣", "公司auditor", "公司audit_head", "mark-form"):
        assert hidden not in page, hidden
    desk = third.get(f"/reviews/{audit.review_ids[0]}")
    assert desk.location == taken.location, "the desk's page is closed until then"
    version = {"version": "2"}
    assert third.post(taken.location, data={**version, "verdict": "fail"}).status_code == 422
    given_ = third.post(taken.location, data={**version, "verdict": "pass", "remark": "可接受"})
    assert given_.status_code == 302
    assert third.post(taken.location, data={**version, "verdict": "fail"}).status_code == 409
    assert "通话中语气恶劣" in third.get(f"/reviews/{audit.review_ids[0]}").text
    third.post(f"/reviews/opinions/{passed.id}/take")
    third.post(f"/reviews/opinions/{passed.id}", data={**version, "verdict": "pass"})
    shown = third.get("/reviews/opinions/").text
    assert "50.0" in shown and "0.00" in shown
    with portal.session(portal.world.scope) as session:
        whole, judges = opinions.agreements(session, clock.now() - timedelta(days=1))
        assert whole.both == {(False, True): 1, (True, True): 1}
        assert [(one.judge, one.found.cases) for one in judges] == [(audit.head.name, 2)]


def test_who_worked_on_a_case_gives_no_opinion_of_it(portal: Portal, audit: Audit) -> None:
    row = _opinion(portal, audit, 0)
    for role in (Role.AUDITOR, Role.AUDIT_HEAD):
        client = portal.client(portal.world.email(role))
        assert str(row.id) not in client.get("/reviews/opinions/").text
        refused = client.post(f"/reviews/opinions/{row.id}/take")
        assert refused.location == "/reviews/opinions/"
    with portal.session(portal.world.scope) as session:
        review, found = audit.review(session), opinions.get_opinion(session, row.id)
        with pytest.raises(Conflict, match="would not be blind"):
            opinions.take(session, found, review, actor=audit.head)
        someone = Actor(audit.world.people[Role.FINANCE], "另一人", *(portal.world.company_id,) * 2)
        opinions.take(session, found, review, actor=someone)
        stages.ask_opinion(session, review, clock.now())
        count = sa.select(sa.func.count()).where(Listening.kind == "opinion")
        assert session.scalar(count) == 2, "once a case"
