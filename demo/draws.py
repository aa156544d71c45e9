"""The demo's draws and call-ups: from the plan to the requests (A3, A10)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa

from demo.people import Company, Vendor
from demo.stage import Stage, period_of
from portal.audits.draws import queries as draws_queries
from portal.audits.draws import service as draws
from portal.audits.draws.plans import Options
from portal.audits.draws.rules import Size
from portal.audits.draws.service import PLAIN
from portal.audits.models import DrawShare
from portal.cases.models import Case
from portal.kernel import clock
from portal.materials.scheme import wanted_by_default
from portal.materials.service import call_up

ORDINAL = ("一", "二", "三")
IN_STRATA = Options(group=True, days=(90,), suspended=2, findings=1)
"""The plan of the demo's draw in strata."""


def make_draw(
    stage: Stage,
    company: Company,
    number: int,
    total: int,
    *,
    month: date | None = None,
    options: Options = PLAIN,
) -> list[tuple[Vendor, UUID]]:
    """Plan, freeze, draw and issue, all at the stage's present moment; the requests by vendor."""
    actor, day = company.actor("auditor"), clock.today()
    name = f"{month or day:%Y年%m月}第{ORDINAL[number - 1]}次抽查"
    with stage.company(company.id) as session:
        wanted = wanted_by_default(session, day)
        draw_id = draws.plan(
            session,
            name=name,
            period=period_of(month or day),
            size=Size(total=total),
            wanted=wanted,
            options=options,
            actor=actor,
        ).id
    with stage.company(company.id) as session:
        draws.freeze(session, draw_id)
    with stage.company(company.id) as session:
        row = draws_queries.get_draw(session, draw_id, lock=True)
        draws.draw_sample(session, row, actor=actor)
        draws.issue(session, row, actor=actor)
    made = []
    for vendor in company.vendors:
        with stage.company(company.id) as session:
            held = session.scalar(
                sa.select(DrawShare.id).where(
                    DrawShare.draw_id == draw_id, DrawShare.tenant_id == vendor.id
                )
            )
            if held is not None:
                made.append((vendor, draws.issue_share(session, draw_id, vendor.id)))
    return made


def call_up_some(stage: Stage, company: Company, vendor: Vendor, count: int, reason: str) -> UUID:
    """A call-up outside a draw (A10) on some cases in hand."""
    with stage.company(company.id) as session:
        numbers = session.scalars(
            sa.select(Case.case_no)
            .where(Case.tenant_id == vendor.id, Case.status == "in_hand")
            .order_by(Case.case_no)
        ).all()
        return call_up(
            session,
            tenant_id=vendor.id,
            case_numbers=stage.dice.sample(list(numbers), count),
            wanted=wanted_by_default(session, clock.today()),
            reason=reason,
            actor=company.actor("auditor2"),
        ).id
