"""A drawn case in whose place the draw's next one is put, with a reason (A3)."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from portal.audits.draws import checking, queries
from portal.audits.draws.rules import Size
from portal.audits.models import Review
from portal.cases import draw as method
from portal.cases.models import Case
from portal.kernel import clock
from portal.kernel.access import Role
from portal.materials.models import RequestItem
from tests.audits.drawing import planned, populate, step, work
from tests.conftest import Portal
from tests.factories.world import MOMENT


def _sample_says(portal: Portal, page: str, old_id: UUID, next_id: UUID) -> None:
    """The sample's page: who stands in whose place, and why; only the newcomer can be replaced."""
    with portal.session(portal.world.scope) as session:
        rows = session.execute(
            sa.select(Case.id, Case.case_no).where(Case.id.in_([old_id, next_id]))
        )
        numbers = {row.id: row.case_no for row in rows}
    first, later = page.split("</table>")[:2]
    links = {one: f'/cases/{one}">{numbers[one]}</a>' for one in (old_id, next_id)}
    said = first.partition(links[old_id])[2].partition("</th>")[0]
    assert "已换为" in said and links[next_id] in said and "债务人已身故" in said
    assert first.count("已换为") == 1, "no other case was replaced"
    row = later.partition("<tbody>")[2]
    assert row.index(links[next_id]) < row.index(links[old_id]) < row.index("债务人已身故")
    assert f'value="{old_id}"' not in page and f'value="{next_id}"' in row


def test_a_drawn_case_is_replaced_by_the_draws_next_one(portal: Portal) -> None:
    """A3: the next case follows from seed and population, the draw still recomputes, the old
    review goes and the new one is open; without a reason, which the vendor reads in the history and
    beside the items of both cases, nothing; and no judged case."""
    world, vendor = portal.world, portal.world.vendors[0]
    populate(portal)
    draw_id = planned(portal, Size(total=20))
    step(portal, draw_id, "start_freezing")
    work(portal)
    step(portal, draw_id, "draw_sample")
    step(portal, draw_id, "issue")
    work(portal)
    with portal.session(world.scope) as session:
        share = queries.get_share(session, draw_id, vendor.id)
        population = queries.packed_of(session, share)
    assert share.request_id and share.positions and share.vendor_seed
    seeds = (bytes.fromhex(share.vendor_seed), bytes.fromhex(share.population_hash))
    position = method.replacement(share.in_hand, share.positions, *seeds, 1)
    (next_id,) = method.case_ids_at(population, [position])
    (old_id,) = method.case_ids_at(population, share.positions[:1])
    path = f"/draws/{draw_id}/vendors/{vendor.id}"

    def states() -> dict[UUID, str]:
        with portal.session(world.scope) as session:
            rows = session.execute(
                sa.select(RequestItem.case_id, RequestItem.state).where(
                    RequestItem.request_id == share.request_id
                )
            )
            return {row.case_id: row.state for row in rows}

    with clock.frozen(MOMENT):
        auditor = portal.client(world.email(Role.AUDITOR))
        assert f"{path}/replace" in auditor.get(path).text
        for reason, state in (("", "missing"), ("债务人已身故", "cancelled")):
            auditor.post(f"{path}/replace", data={"case": old_id, "reason": reason})
            assert states()[old_id] == state
        _sample_says(portal, auditor.get(path).text, old_id, next_id)
        with portal.session(world.scope) as session:
            reviews = {
                row.case_id: row
                for row in session.scalars(
                    sa.select(Review).where(Review.request_id == share.request_id)
                )
            }
            assert next_id in reviews and old_id not in reviews and len(reviews) == 15
            row = queries.get_draw(session, draw_id)
            assert checking.recompute(session, row, actor=world.actor(Role.AUDIT_HEAD)) == ()
            judged = reviews[next_id]
            judged.state, judged.stage, judged.verdict = "judged", "judged", "pass"
            session.commit()
        auditor.post(f"{path}/replace", data={"case": next_id, "reason": "再换"})
        assert states()[next_id] == "missing"
        office = portal.client(vendor.email(Role.MANAGER))
        assert office.post(f"{path}/replace", data={"case": next_id}).status_code == 404
        assert office.get(f"/requests/{share.request_id}").text.count("债务人已身故") > 2
