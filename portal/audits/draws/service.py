"""Make a draw (A3): plan, freeze, draw, issue; each a recorded act that may be repeated harmlessly.

The population is frozen and hashed, and that committed, before the seed is made: nobody can choose
a seed for a population, or a population for a seed. Nothing of a draw is visible to a vendor until
its request is issued.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.draws import queries
from portal.audits.draws.plans import Options, checked, options_of
from portal.audits.draws.populations import populations
from portal.audits.draws.records import vendors_record
from portal.audits.draws.rules import (
    Population,
    Size,
    check_step,
    checked_period,
    shared_out,
    vendor_facts,
)
from portal.audits.models import Draw, DrawShare, DrawState
from portal.audits.reviews.service import open_reviews
from portal.cases import strata
from portal.cases.draw import METHOD, SEED_BYTES, draw_hash, positions, vendor_seed
from portal.cases.in_hand import in_hand_volume
from portal.cases.models import Case
from portal.jobs.models import JobRun, RunState
from portal.jobs.queries import run_of
from portal.jobs.service import enqueue
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.phrases import phrase
from portal.materials.rules import Wanted, parse_wanted
from portal.materials.scheme import MATERIALS_WANTED
from portal.materials.service import issue_request
from portal.schemes.service import in_force
from tenants.rows import new_id

_NAME = 80
PLAIN = Options()
_PLANNING = 7305022
"""The advisory lock under which draws are planned, one after the other."""


@dataclass(frozen=True, slots=True)
class WantedChoice:
    """A material that a draw may ask for, as the scheme in force says. `asked`: by default."""

    kind: str
    required: bool
    asked: bool


def materials_on(session: Session, day: date) -> tuple[WantedChoice, ...]:
    """The materials of the scheme in force on `day`."""
    kinds = parse_wanted(in_force(session, MATERIALS_WANTED, day).content)
    return tuple(
        WantedChoice(kind.value, entry["required"], entry["asked"]) for kind, entry in kinds.items()
    )


def plan(
    session: Session,
    *,
    name: str,
    period: str,
    size: Size,
    wanted: Sequence[Wanted],
    options: Options = PLAIN,
    actor: Actor,
) -> Draw:
    """Plan a draw and have its population frozen; `options`: its strata and weights.

    The same person planning the same again (a double click) gets the draw that is there. Raises
    `Conflict` when the month has another draw of this name, `Invalid` when the size does not fit
    what the vendors hold now, or nothing is wanted.
    """
    name = name.strip()
    _check_plan(name, wanted)
    checked_period(period)
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_PLANNING)))
    found = queries.find_named(session, period, name)
    if found is not None:
        return _same(found, size, wanted, checked(options), actor)
    shared_out(size, in_hand_volume(session))
    row = Draw(
        tenant_id=actor.company_id,
        id=new_id(),
        name=name,
        period=period,
        method=METHOD if checked(options).plain else strata.METHOD,
        options=None if options.plain else options.text,
        rate=size.rate,
        total=size.total,
        state=DrawState.PLANNED,
        wanted=[asdict(one) for one in wanted],
        planned_at=clock.now(),
        created_by=actor.account_id,
        created_by_name=actor.name,
    )
    session.add(row)
    session.flush()
    planned = {"total": size.total, "rate": size.rate, "wanted": row.wanted, "plan": row.options}
    journal(session, row, "planned", actor, **planned)
    start_freezing(session, row, actor=actor)
    return row


def _check_plan(name: str, wanted: Sequence[Wanted]) -> None:
    if not name or len(name) > _NAME:
        raise Invalid(
            phrase("A draw needs a name of at most %(most)s characters.", most=_NAME),
            phrase("Type one, such as the month and its number."),
        )
    if not any(one.required for one in wanted):
        raise Invalid(
            phrase("A draw asks for at least one material that must be handed over."),
            phrase("Choose the materials wanted."),
        )


def _same(
    found: Draw, size: Size, wanted: Sequence[Wanted], options: Options, actor: Actor
) -> Draw:
    """The draw that is there, if it was planned just so by the same person."""
    asked = size.rate == found.rate and (size.total is None or size.total == found.total)
    materials = [asdict(one) for one in wanted] == found.wanted
    planned = options_of(found.options) == options
    if asked and materials and planned and found.created_by == actor.account_id:
        return found
    raise Conflict(
        phrase("This month has a draw of this name already."),
        phrase("Give it another name, or go on with the one that is there."),
    )


def start_freezing(session: Session, row: Draw, *, actor: Actor) -> bool:
    """Have a planned draw frozen by a job; False when that is under way or done already."""
    if row.state != DrawState.PLANNED:
        return False
    run = run_of(session, row)
    if run is not None and run.state != RunState.FAILED:
        return False
    row.run_id = enqueue(
        session, "draws.freeze", {"draw_id": row.id}, actor=actor, lock=f"draws.{row.id}"
    )
    row.version += 1
    session.flush()
    return True


def freeze(session: Session, draw_id: UUID) -> Draw:
    """Freeze and hash every vendor's population at one instant, and share out the quotas.

    One statement reads them all, so that no case moves meanwhile. Frozen once, a draw stays as it
    is. Raises `Invalid` when its size no longer fits.
    """
    row = queries.get_draw(session, draw_id, lock=True)
    if row.state != DrawState.PLANNED:
        return row
    frozen = populations(session, row)
    volumes = {vendor: one.size for vendor, (_, _, one) in frozen.items()}
    given = shared_out(Size(row.total, row.rate), volumes)
    hashes = {vendor: one.digest() for vendor, (_, _, one) in frozen.items()}
    session.execute(
        sa.insert(DrawShare),
        [
            {
                "tenant_id": vendor,
                "id": new_id(),
                "draw_id": row.id,
                "in_hand": volumes[vendor],
                "quota": given[vendor],
                "population": ids,
                "strata": groups,
                "population_hash": hashes[vendor].hex(),
            }
            for vendor, (ids, groups, _) in frozen.items()
        ],
    )
    row.total = sum(given.values())
    row.population = sum(volumes.values())
    row.population_hash = draw_hash(hashes).hex()
    row.state, row.frozen_at, row.version = DrawState.FROZEN, clock.now(), row.version + 1
    session.flush()
    by = Actor(row.created_by, row.created_by_name, row.tenant_id, row.tenant_id)
    journal(session, row, "frozen", by, population=row.population, vendors=len(volumes))
    return row


def draw_sample(session: Session, row: Draw, *, actor: Actor) -> bool:
    """Make the seed, now that the population stands, and draw each vendor's positions.

    `row` is locked. False when it was drawn already: there is no second seed.
    """
    if row.state in (DrawState.DRAWN, DrawState.ISSUED):
        return False
    check_step(row.state, DrawState.DRAWN)
    seed = secrets.token_bytes(SEED_BYTES)
    changes = [
        {
            "tenant_id": share.tenant_id,
            "id": share.id,
            "vendor_seed": own.hex(),
            "positions": drawn,
        }
        for share, own, drawn in _drawn(session, row, seed)
    ]
    session.execute(sa.update(DrawShare), changes)
    row.seed, row.drawn_at, row.drawn_by_name = seed.hex(), clock.now(), actor.name
    row.state, row.version = DrawState.DRAWN, row.version + 1
    session.flush()
    journal(session, row, "drawn", actor, seed=row.seed, cases=row.total)
    return True


def _drawn(session: Session, row: Draw, seed: bytes) -> Iterator[tuple[Any, bytes, list[int]]]:
    """Each vendor's part with its seed and positions. Method /1 needs no population for that."""
    columns = [
        DrawShare.tenant_id,
        DrawShare.id,
        DrawShare.in_hand,
        DrawShare.quota,
        DrawShare.population_hash,
        DrawShare.strata,
    ]
    if row.options is not None:
        columns.append(DrawShare.population)
    for share in session.execute(sa.select(*columns).where(DrawShare.draw_id == row.id)):
        own = vendor_seed(seed, share.tenant_id, row.method)
        digest = bytes.fromhex(share.population_hash)
        if row.options is None:
            drawn = positions(share.in_hand, share.quota, own, digest)
        else:
            cases = Population(share.population, row.options, share.strata)
            drawn = cases.drawn(share.quota, own, digest)
        yield share, own, drawn


def issue(session: Session, row: Draw, *, actor: Actor) -> int:
    """Have every vendor's request issued, one job and one transaction each.

    `row` is locked. Repeated, it starts again only what failed. Returns the number of jobs started.
    """
    if row.state == DrawState.ISSUED:
        return 0
    check_step(row.state, DrawState.ISSUED)
    waiting = session.scalars(
        sa.select(DrawShare)
        .outerjoin(
            JobRun, sa.and_(JobRun.tenant_id == row.tenant_id, JobRun.id == DrawShare.run_id)
        )
        .where(
            DrawShare.draw_id == row.id,
            DrawShare.request_id.is_(None),
            sa.or_(JobRun.id.is_(None), JobRun.state == RunState.FAILED),
        )
        .order_by(DrawShare.in_hand.desc(), DrawShare.tenant_id)
        .with_for_update(of=DrawShare, skip_locked=True)
    ).all()
    for share in waiting:
        share.run_id = enqueue(
            session,
            "draws.issue_request",
            {"draw_id": row.id, "vendor_id": share.tenant_id},
            actor=actor,
            lock=f"draws.{row.id}.{share.tenant_id}",
        )
    if waiting and row.issuing_at is None:
        row.issuing_at, row.issuing_by = clock.now(), actor.account_id
        row.issuing_by_name, row.version = actor.name, row.version + 1
        journal(session, row, "issuing", actor, vendors=len(waiting))
    session.flush()
    return len(waiting)


def issue_share(session: Session, draw_id: UUID, vendor_id: UUID) -> UUID:
    """Issue one vendor's request with its reviews; the last one issued ends the draw.

    Repeated, it answers with the request that is there.
    """
    share = queries.get_share(session, draw_id, vendor_id, lock=True)
    if share.request_id is not None:
        return share.request_id
    row = queries.get_draw(session, draw_id)
    if row.drawn_at is None or row.issuing_by is None or share.vendor_seed is None:
        raise Conflict(phrase("This draw is not at that step."))
    actor = Actor(row.issuing_by, row.issuing_by_name or "", row.tenant_id, row.tenant_id)
    facts = vendor_facts(
        method=row.method,
        in_hand=share.in_hand,
        quota=share.quota,
        own_hash=share.population_hash,
        own_seed=share.vendor_seed,
        drawn_at=row.drawn_at.isoformat(),
    )
    cases = _in_order(session, vendor_id, queries.drawn_cases(session, share))
    request = issue_request(
        session,
        tenant_id=vendor_id,
        manner="draw",
        draw_id=row.id,
        reason="",
        period=row.period,
        draw_facts=facts,
        wanted=[Wanted(one["kind"], one["required"]) for one in row.wanted],
        case_ids=cases,
        actor=actor,
    )
    if request.draw_record is None:
        names = queries.vendor_names(session, [vendor_id])
        part = queries.record_of(session, share, names[vendor_id])
        request.draw_record = vendors_record(
            part,
            queries.population_numbers(session, vendor_id, part.cases),
            period=row.period,
            rate=facts["rate"],
            drawn_at=facts["drawn_at"],
        )
    open_reviews(session, tenant_id=vendor_id, request_id=request.id, case_ids=cases, actor=actor)
    share.request_id = request.id
    session.flush()
    _end_when_all_issued(session, draw_id, actor)
    return request.id


def _in_order(session: Session, vendor_id: UUID, case_ids: Sequence[UUID]) -> list[UUID]:
    """The cases by case number: the order that people read."""
    return list(
        session.scalars(
            sa.select(Case.id)
            .where(Case.tenant_id == vendor_id, Case.id.in_(case_ids))
            .order_by(Case.case_no)
        )
    )


def _end_when_all_issued(session: Session, draw_id: UUID, actor: Actor) -> None:
    """The draw's row is locked before counting, so that of two last vendors one sees the other."""
    row = queries.get_draw(session, draw_id, lock=True)
    left = session.scalar(
        sa.select(sa.func.count()).where(
            DrawShare.draw_id == draw_id, DrawShare.request_id.is_(None)
        )
    )
    if left or row.state == DrawState.ISSUED:
        return
    row.state, row.issued_at, row.version = DrawState.ISSUED, clock.now(), row.version + 1
    session.flush()
    journal(session, row, "issued", actor, cases=row.total)


def journal(session: Session, row: Draw, act: str, actor: Actor, **data: object) -> None:
    """Write what was done with a draw into the journal, with its population's hash."""
    record(
        session,
        f"audits.draw.{act}",
        ("draw", row.id),
        actor=actor,
        data={"period": row.period, "population_hash": row.population_hash, **data},
    )
