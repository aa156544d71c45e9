"""A draw in strata and with weights (A3, method /2), from its plan to a vendor's own check."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.audits.draws import checking, queries, service
from portal.audits.draws.plans import Options, limits, options_of, span
from portal.audits.draws.rules import Size
from portal.audits.models import Review
from portal.cases import strata
from portal.cases.models import Case
from portal.kernel import clock
from portal.kernel.access import Role
from portal.kernel.errors import Invalid
from portal.materials.models import RequestItem
from tests.audits.drawing import WANTED, populate, step, work
from tests.audits.test_draw_records import run
from tests.conftest import Portal
from tests.factories.world import MOMENT

OPTIONS = Options(group=True, days=(30, 90), amounts=(1500,), suspended=2, findings=4)


def drawn(portal: Portal) -> UUID:
    """A draw of 20 over 153 cases in strata; ten of the first vendor's are suspended."""
    populate(portal)
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        some = sa.select(Case.id).where(Case.case_no.like("HC-0000_"))
        session.execute(sa.update(Case).where(Case.id.in_(some)).values(status="suspended"))
        row = service.plan(
            session,
            name="分层",
            period="2026-11",
            size=Size(total=20),
            wanted=WANTED,
            options=OPTIONS,
            actor=portal.world.actor(Role.AUDITOR),
        )
        assert (row.method, options_of(row.options)) == (strata.METHOD, OPTIONS)
        session.commit()
        draw_id = row.id
    work(portal)
    step(portal, draw_id, "draw_sample")
    step(portal, draw_id, "issue")
    work(portal)
    return draw_id


def test_a_stratified_draw_is_frozen_drawn_and_recomputed(portal: Portal, tmp_path: Path) -> None:
    draw_id, vendor = drawn(portal), portal.world.vendors[0]
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        row = queries.get_draw(session, draw_id)
        assert checking.recompute(session, row, actor=portal.world.actor(Role.AUDIT_HEAD)) == ()
        share = queries.get_share(session, draw_id, vendor.id)
        found = queries.population_of(session, share).members()
        cases = {
            case.id.bytes: case
            for case in session.scalars(sa.select(Case).where(Case.tenant_id == vendor.id))
        }
        assert list(found.ids) == sorted(cases)
        for one, number, weight in zip(found.ids, found.strata, found.weights, strict=True):
            case = cases[one]
            group, days, amount = OPTIONS.parts(number)
            assert group == (1 if case.group_id else 0)
            assert days == sum(case.days_past_due >= limit for limit in (30, 90))
            assert amount == int(case.amount >= Decimal(1500))
            assert weight == (3 if case.status == "suspended" else 1)
        assert Counter(found.weights) == {1: 111, 3: 9}
        places = share.positions or []
        assert Counter(found.strata[place] for place in places) == Counter(
            {key: n for key, n in strata.allocation(found, share.quota).items() if n}
        )
    with clock.frozen(MOMENT):
        auditor = portal.client(portal.world.email(Role.AUDITOR))
        auditor.post("/language", data={"locale": "en", "next": "/"})
        page = auditor.get(f"/draws/{draw_id}").text
        assert "days past due: 30, 90" in page and "suspended cases +2" in page
        sample = auditor.get(f"/draws/{draw_id}/vendors/{vendor.id}").text
        assert "30–89" in sample or "≥ 90" in sample
        manager = portal.client(vendor.email(Role.MANAGER))
        path = f"/requests/{share.request_id}"
        body = manager.get(f"{path}/draw-record.json").data
        program = tmp_path / "verify_draw.py"
        program.write_bytes(manager.get("/requests/verify_draw.py").data)
        whole = auditor.get(f"/draws/{draw_id}/record.json").data
    file = tmp_path / "record.json"
    for packed, said in ((body, "15 of 120"), (whole, "20 of 153")):
        file.write_bytes(packed)
        done = run(program, file)
        assert (done.returncode, done.stderr) == (0, "") and said in done.stdout
    text = gzip.decompress(body).decode()
    assert json.loads(text)["plan"] == OPTIONS.text, "the plan is written in the record"
    for other in portal.world.vendors[1:]:
        assert str(other.id) not in text and other.short_name not in text


def test_a_case_is_replaced_within_its_stratum(portal: Portal) -> None:
    draw_id, vendor = drawn(portal), portal.world.vendors[0]
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        share = queries.get_share(session, draw_id, vendor.id)
        cases = queries.population_of(session, share)
        found, ids = cases.members(), cases.ids()
        counts = Counter(found.strata)
        taken = Counter(found.strata[place] for place in share.positions or [])
        place = next(
            p for p in share.positions or [] if counts[found.strata[p]] > taken[found.strata[p]]
        )
        before = {ids[p] for p in share.positions or []}
    with clock.frozen(MOMENT):
        auditor = portal.client(portal.world.email(Role.AUDITOR))
        path = f"/draws/{draw_id}/vendors/{vendor.id}/replace"
        auditor.post(path, data={"case": ids[place], "reason": "债务人已身故"})
    with portal.session(portal.world.scope) as session:
        now = set(
            session.scalars(
                sa.select(RequestItem.case_id).where(
                    RequestItem.request_id == share.request_id, RequestItem.state != "cancelled"
                )
            )
        )
        (new,) = now - before
        assert before - now == {ids[place]}
        assert found.strata[ids.index(new)] == found.strata[place]
        row = queries.get_draw(session, draw_id)
        assert checking.recompute(session, row, actor=portal.world.actor(Role.AUDIT_HEAD)) == ()
        opened = sa.select(Review.id).where(Review.case_id == new)
        assert session.scalar(opened) is not None


def test_limits_and_classes() -> None:
    assert limits("30, 90，180") == (30, 90, 180) and limits(" ") == ()
    for wrong in ("90, 30", "30, 30", "0", "x", "1.5", ",".join(map(str, range(1, 11)))):
        with pytest.raises(Invalid):
            limits(wrong)
    assert [span((30, 90), n) for n in range(3)] == ["< 30", "30–89", "≥ 90"]
    assert options_of(OPTIONS.text) == OPTIONS and Options().plain
    assert OPTIONS.parts((1 * 3 + 2) * 2 + 1) == (1, 2, 1)


def test_the_form_plans_what_it_says(portal: Portal) -> None:
    populate(portal)
    with clock.frozen(MOMENT):
        auditor = portal.client(portal.world.email(Role.AUDITOR))
        form = {
            "name": "分层",
            "period": "2026-11",
            "by": "total",
            "total": "20",
            "wanted": "call_recording",
            "strata_days": "90, 30",
            "extra_suspended": "2",
        }
        refused = auditor.post("/draws/", data=form)
        assert refused.status_code == 422 and "90, 30" in refused.text
        made = auditor.post("/draws/", data={**form, "strata_days": "30, 90"})
        assert made.status_code == 302
    with portal.session(portal.world.scope) as session:
        row = queries.get_draw(session, UUID(made.location.rpartition("/")[2]))
        assert options_of(row.options) == Options(days=(30, 90), suspended=2)
