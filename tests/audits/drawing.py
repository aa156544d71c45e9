"""A draw's steps, for tests of draws: cases in hand, a plan, a step, the jobs."""

from __future__ import annotations

from uuid import UUID

from portal.audits.draws import queries, service
from portal.audits.draws.rules import Size
from portal.kernel import clock
from portal.kernel.access import Role
from portal.materials.rules import Wanted
from tests.conftest import Portal
from tests.factories.cases import add_cases
from tests.factories.world import MOMENT

VOLUMES = (120, 30, 3)
WANTED = (Wanted("collection_record"), Wanted("call_recording"), Wanted("visit_recording", False))


def populate(portal: Portal, volumes: tuple[int, ...] = VOLUMES) -> None:
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        for vendor, volume in zip(portal.world.vendors, volumes, strict=True):
            if volume:
                add_cases(session, portal.world, vendor, volume)
        session.commit()


def planned(portal: Portal, size: Size) -> UUID:
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        row = service.plan(
            session,
            name="11月第1次",
            period="2026-11",
            size=size,
            wanted=WANTED,
            actor=portal.world.actor(Role.AUDITOR),
        )
        session.commit()
        return row.id


def step(portal: Portal, draw_id: UUID, verb: str) -> object:
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        row = queries.get_draw(session, draw_id, lock=True)
        done = getattr(service, verb)(session, row, actor=portal.world.actor(Role.AUDITOR))
        session.commit()
        return done


def work(portal: Portal) -> None:
    with clock.frozen(MOMENT):
        portal.work()
