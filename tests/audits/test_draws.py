"""Draws (A3): the steps, repeated or not; the vendors' ignorance; the proof from the record."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from portal.audits.draws import checking, queries, service
from portal.audits.draws.rules import Size
from portal.audits.models import Draw, DrawShare, DrawState, Review
from portal.cases import draw as method
from portal.cases.models import Case
from portal.jobs.models import JobRun
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role
from portal.kernel.errors import Invalid, PortalError
from portal.materials.models import MaterialRequest, RequestItem
from tenants.scope import Scope
from tests.audits.drawing import WANTED, planned, populate, step, work
from tests.conftest import Portal
from tests.factories.world import MOMENT


def test_a_draw_from_plan_to_requests(portal: Portal) -> None:
    """A3: proportional, at least one each; every step once, however often it is asked for."""
    populate(portal)
    draw_id = planned(portal, Size(total=20))
    assert step(portal, draw_id, "start_freezing") is False
    work(portal)
    with portal.session(portal.world.scope) as session:
        row = queries.get_draw(session, draw_id)
        frozen = row.population_hash
        shares = queries.shares_of(session, row)
        assert (row.state, row.population, row.seed) == (DrawState.FROZEN, 153, None)
        assert [line.quota for line in shares] == [15, 4, 1]
        # Frozen once: repeating the job of a killed worker changes nothing.
        assert service.freeze(session, draw_id).population_hash == frozen
        assert session.scalar(sa.select(sa.func.count()).select_from(DrawShare)) == 3
    assert step(portal, draw_id, "draw_sample") is True
    with portal.session(portal.world.scope) as session:
        seed = queries.get_draw(session, draw_id).seed
    assert step(portal, draw_id, "draw_sample") is False
    assert step(portal, draw_id, "issue") == 3
    assert step(portal, draw_id, "issue") == 0
    work(portal)
    with portal.session(portal.world.scope) as session:
        row = queries.get_draw(session, draw_id)
        assert (row.state, row.seed, row.population_hash) == (DrawState.ISSUED, seed, frozen)
        assert checking.recompute(session, row, actor=portal.world.actor(Role.AUDIT_HEAD)) == ()
        for line, vendor in zip(queries.shares_of(session, row), portal.world.vendors, strict=True):
            # An outsider with ids, seed and method finds the cases that were asked for.
            ids = method.canonical(
                session.scalars(sa.select(Case.id).where(Case.tenant_id == vendor.id))
            )
            drawn = method.draw(ids, line.quota, bytes.fromhex(seed or ""), vendor.id)
            expected = set(method.case_ids_at(ids, drawn))
            items = session.execute(
                sa.select(RequestItem.case_id, RequestItem.kind, RequestItem.required).where(
                    RequestItem.request_id == line.request_id
                )
            ).all()
            assert {item.case_id for item in items} == expected
            assert Counter(item.kind for item in items) == {one.kind: line.quota for one in WANTED}
            assert expected == set(
                session.scalars(
                    sa.select(Review.case_id).where(Review.request_id == line.request_id)
                )
            )
        # Again, as a killed worker would: the requests that stand are answered.
        for vendor in portal.world.vendors:
            service.issue_share(session, draw_id, vendor.id)
        assert session.scalar(sa.select(sa.func.count()).select_from(MaterialRequest)) == 3
        acts = session.execute(
            sa.select(JournalEntry.action, JournalEntry.data).where(
                JournalEntry.subject_id == draw_id
            )
        ).all()
    data = {act.action.removeprefix("audits.draw."): act.data for act in acts}
    assert [*Counter(act.action for act in acts).values()] == [1] * len(acts)
    assert {"planned", "frozen", "drawn", "issuing", "issued"} <= set(data)
    assert {data[act]["population_hash"] for act in ("frozen", "drawn", "issued")} == {frozen}
    assert data["planned"]["population_hash"] is None
    assert data["drawn"]["seed"] == seed


def test_a_vendor_learns_its_own_share_and_nothing_else(portal: Portal) -> None:
    """Unannounced until issued; then enough to recompute the own sample, without the seed, the
    quota, the volume or the hash of anybody else."""
    populate(portal)
    draw_id = planned(portal, Size(rate=Decimal(10)))
    work(portal)
    step(portal, draw_id, "draw_sample")
    vendor, other = portal.world.vendors[:2]
    client = portal.client(vendor.email(Role.MANAGER))
    for path in (
        "",
        "new",
        f"{draw_id}",
        f"{draw_id}/vendors/{vendor.id}",
        f"{draw_id}/sample.xlsx",
    ):
        assert client.get(f"/draws/{path}").status_code in (403, 404)
    assert client.post(f"/draws/{draw_id}/issue").status_code in (403, 404)
    with portal.session(Scope.vendor(vendor.id)) as session:
        assert session.scalars(sa.select(MaterialRequest)).all() == []
    for hidden in (Draw, DrawShare):
        with portal.session(Scope.vendor(vendor.id)) as session, pytest.raises(ProgrammingError):
            session.scalars(sa.select(hidden)).all()
    step(portal, draw_id, "issue")
    work(portal)
    with portal.session(portal.world.scope) as session:
        row = queries.get_draw(session, draw_id)
        lines = {line.tenant_id: line for line in queries.shares_of(session, row)}
    with portal.session(Scope.vendor(vendor.id)) as session:
        facts = session.scalars(sa.select(MaterialRequest)).one().draw_facts
        own = method.canonical(session.scalars(sa.select(Case.id)))
        asked = set(session.scalars(sa.select(RequestItem.case_id)))
    assert set(facts) - {"scheme"} == {
        "method", "population", "population_hash", "seed", "quota", "rate", "drawn_at", "record"
    }  # fmt: skip
    assert (facts["population"], facts["quota"]) == (120, lines[vendor.id].quota)
    assert method.population_hash(own).hex() == facts["population_hash"]
    drawn = method.positions(
        facts["population"],
        facts["quota"],
        bytes.fromhex(facts["seed"]),
        method.population_hash(own),
    )
    assert set(method.case_ids_at(own, drawn)) == asked
    told = json.dumps(facts)
    for secret in (
        row.seed,
        row.population_hash,
        str(draw_id),
        lines[other.id].population_hash,
        lines[other.id].vendor_seed,
    ):
        assert secret and secret not in told


def test_the_sample_stands_on_the_frozen_population(portal: Portal) -> None:
    """What leaves or comes after freezing changes nothing; a touched record is found out."""
    populate(portal)
    draw_id = planned(portal, Size(total=9))
    work(portal)
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        first = portal.world.vendors[0]
        session.execute(sa.update(Case).where(Case.tenant_id == first.id).values(status="returned"))
        session.commit()
    step(portal, draw_id, "draw_sample")
    actor = portal.world.actor(Role.AUDITOR)
    with portal.session(portal.world.scope) as session:
        row = queries.get_draw(session, draw_id)
        assert checking.recompute(session, row, actor=actor) == ()
        share = queries.get_share(session, draw_id, portal.world.vendors[0].id)
        assert len(queries.sample(session, share)) == share.quota
        kept = list(share.positions or [])
        share.positions = [(kept[0] + 1) % share.in_hand, *kept[1:]]
        assert len(checking.recompute(session, row, actor=actor)) == 1
        share.positions = kept
        population = queries.packed_of(session, share)
        share.population = population[16:] + population[:16]
        assert len(checking.recompute(session, row, actor=actor)) >= 1
        session.rollback()


def test_what_cannot_be_drawn_is_refused_at_once(portal: Portal) -> None:
    actor = portal.world.actor(Role.AUDITOR)
    with portal.session(portal.world.scope) as session, pytest.raises(Invalid):
        service.plan(
            session, name="x", period="2026-11", size=Size(total=1), wanted=WANTED, actor=actor
        )
    populate(portal, (5, 5, 0))
    for size, wanted in ((Size(total=1), WANTED), (Size(total=11), WANTED), (Size(total=2), ())):
        with portal.session(portal.world.scope) as session, pytest.raises(Invalid):
            service.plan(session, name="x", period="2026-11", size=size, wanted=wanted, actor=actor)
    draw_id = planned(portal, Size(total=2))
    with pytest.raises(PortalError):
        step(portal, draw_id, "draw_sample")
    with pytest.raises(PortalError):
        step(portal, draw_id, "issue")


def test_a_request_that_fails_is_issued_again_alone(portal: Portal) -> None:
    """A fault at one vendor leaves the others issued; a second try issues the rest."""
    populate(portal, (8, 4, 2))
    draw_id = planned(portal, Size(total=7))
    work(portal)
    step(portal, draw_id, "draw_sample")
    lost = portal.world.vendors[2]
    with portal.session(portal.world.scope) as session:
        share = queries.get_share(session, draw_id, lost.id)
        seed, share.vendor_seed = share.vendor_seed, None
        session.commit()
    step(portal, draw_id, "issue")
    work(portal)
    with portal.session(portal.world.scope) as session:
        row = queries.get_draw(session, draw_id)
        lines = queries.shares_of(session, row)
        assert [line.failed for line in lines] == [False, False, True]
        assert queries.issuing(row, lines).state == "failed"
        queries.get_share(session, draw_id, lost.id).vendor_seed = seed
        session.commit()
    assert step(portal, draw_id, "issue") == 1
    work(portal)
    with portal.session(portal.world.scope) as session:
        assert queries.get_draw(session, draw_id).state == DrawState.ISSUED
        tasks = Counter(session.scalars(sa.select(JobRun.task)))
    assert tasks["draws.issue_request"] == 4


def test_the_pages_lead_through_a_draw(portal: Portal) -> None:
    """The way of an auditor, with double clicks, a stale page and a preview that writes nothing."""
    populate(portal)
    with clock.frozen(MOMENT):
        client = portal.client(portal.world.email(Role.AUDITOR))
        assert client.get("/draws/").status_code == 200
        assert client.get("/draws/list.xlsx?period=2026-11").data[:2] == b"PK"
        page = client.get("/draws/new").text
        assert "2026-11" in page and "78.43%" in page
        form = {
            "name": "第一次",
            "period": "2026-11",
            "by": "total",
            "total": "20",
            "wanted": ["collection_record", "call_recording"],
        }
        preview = client.post("/draws/preview", data=form, headers={"HX-Request": "true"})
        assert ">15</td>" in preview.text
        assert client.post("/draws/", data={**form, "total": "2"}).status_code == 422
        path = client.post("/draws/", data=form).headers["Location"]
        assert client.post("/draws/", data=form).headers["Location"] == path
        assert client.post("/draws/", data={**form, "total": "21"}).status_code == 422
        assert 'hx-get="' in client.get(path).text
        assert client.post(f"{path}/draw", data={"version": "1"}).status_code == 409
        portal.work()
        stale = client.post(f"{path}/draw", data={"version": "1"})
        assert stale.status_code == 409
        with portal.session(portal.world.scope) as session:
            version = queries.get_draw(session, UUID(path.rsplit("/", 1)[1])).version
        for _click in range(2):
            assert client.post(f"{path}/draw", data={"version": str(version)}).status_code == 302
        for _click in range(2):
            issue = client.post(f"{path}/issue", data={"version": str(version + 1)})
            assert issue.status_code == 302
        portal.work()
        page = client.get(path).text
        assert page.count("DQ-") == 3
        client.post(f"{path}/recompute")
        page = client.get(path).text
        assert 'role="status"' in page and 'role="alert"' not in page
        vendor = portal.world.vendors[0]
        assert client.get(f"{path}/vendors/{vendor.id}").text.count('tabular" href="/cases/') == 15
        assert client.get(f"{path}/sample.xlsx").data[:2] == b"PK"
        other = portal.client(portal.world.email(Role.FINANCE))
        assert other.get(path).status_code in (403, 404)


class TestWorkEndsWhileThePageIsRead:
    """A page reads the draw, then its vendors and its run; a job may commit all in between."""

    @staticmethod
    def between(portal: Portal, table: str) -> Callable[..., None]:
        """A listener that works off the jobs just before the first statement that reads `table`."""
        worked: list[bool] = []

        def act(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            if f"FROM {table}" in statement and "SELECT" in statement and not worked:
                worked.append(True)
                portal.work()

        return act

    @pytest.mark.usefixtures("at_work")
    @pytest.mark.parametrize("table", ["draw_shares", "job_runs"])
    def test_the_page_offers_the_next_step(self, portal: Portal, table: str) -> None:
        populate(portal)
        auditor = portal.client(portal.world.email(Role.AUDITOR))
        draw_id = planned(portal, Size(total=6))
        act = self.between(portal, table)
        sa.event.listen(sa.engine.Engine, "before_cursor_execute", act)
        try:
            answer = auditor.get(f"/draws/{draw_id}")
        finally:
            sa.event.remove(sa.engine.Engine, "before_cursor_execute", act)
        with portal.session(portal.world.scope) as session:
            frozen = queries.get_draw(session, draw_id).state == DrawState.FROZEN
        assert frozen or table == "draw_shares", "the vendors of an unfrozen draw are not read"
        next_step = f'action="/draws/{draw_id}/draw"' if frozen else f"/draws/{draw_id}/progress"
        assert answer.status_code == 200
        assert next_step in answer.text, "neither a bar nor a step: a dead end"
