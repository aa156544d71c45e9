"""Write many cases at once: new ones, changed ones, and their changes of status."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.cases.imports.rules import Existing, Facts
from portal.cases.models import Batch, Case, CaseStatusChange
from portal.cases.rules import CaseStatus, closing_date
from portal.cases.sealing import sealed
from portal.kernel import clock
from portal.kernel.access import Actor
from tenants.rows import new_id
from tenants.vault import installed

T = TypeVar("T")
CHUNK = 1_000
Batches = dict[tuple[UUID, UUID, str], UUID]


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def make_batches(session: Session, facts: Iterable[Facts]) -> Batches:
    """The batches of these cases, added or widened to the cases' dates: their ids by vendor,
    project and number."""
    spans: dict[tuple[UUID, UUID, str], list[Any]] = {}
    for one in facts:
        span = spans.setdefault(
            (one.tenant_id, one.project_id, one.batch), [one.entrusted_on, one.due_back_on]
        )
        span[0], span[1] = min(span[0], one.entrusted_on), max(span[1], one.due_back_on)
    found: Batches = {}
    for (tenant_id, project_id, number), (first, last) in sorted(
        spans.items(), key=lambda item: str(item[0])
    ):
        statement = insert(Batch).values(
            tenant_id=tenant_id,
            id=new_id(),
            project_id=project_id,
            batch_no=number,
            entrusted_on=first,
            due_back_on=last,
        )
        batch_id = session.scalar(
            statement.on_conflict_do_update(
                index_elements=[Batch.tenant_id, Batch.project_id, Batch.batch_no],
                set_={
                    "entrusted_on": sa.func.least(Batch.entrusted_on, first),
                    "due_back_on": sa.func.greatest(Batch.due_back_on, last),
                },
            ).returning(Batch.id)
        )
        if batch_id is not None:
            found[tenant_id, project_id, number] = batch_id
    return found


def add_cases(
    session: Session,
    facts: Sequence[Facts],
    batches: Batches,
    progress: Callable[[int], None] = lambda _done: None,
) -> None:
    """Insert new cases, 1,000 rows a statement; `progress` hears how many stand."""
    done = 0
    for part in chunks(facts):
        session.execute(sa.insert(Case), [_new_row(session, one, batches) for one in part])
        done += len(part)
        progress(done)


def change_cases(
    session: Session,
    changes: Sequence[tuple[Existing, Facts]],
    batches: Batches,
    *,
    actor: Actor,
    reason: str,
    progress: Callable[[int], None] = lambda _done: None,
) -> None:
    """Give cases that are there the contents of their rows; a change of status is recorded with
    `reason`, as if a person had made it."""
    done = 0
    for part in chunks(changes):
        session.execute(
            sa.update(Case), [_changed_row(session, old, new, batches) for old, new in part]
        )
        steps = [
            _status_change(old, new.status, actor, reason)
            for old, new in part
            if new.status is not None and new.status != old.facts.status
        ]
        if steps:
            session.execute(sa.insert(CaseStatusChange), steps)
        done += len(part)
        progress(done)


def _own_columns(session: Session, case_id: UUID, one: Facts, batches: Batches) -> dict[str, Any]:
    key = installed().key(session, one.tenant_id)
    status = CaseStatus(one.status or CaseStatus.IN_HAND)
    return {
        "tenant_id": one.tenant_id,
        "id": case_id,
        "project_id": one.project_id,
        "batch_id": batches[one.tenant_id, one.project_id, one.batch],
        "entrusting_company": one.entrusting_company,
        **sealed(key, case_id, card=one.card, debtor=one.debtor, phone=one.phone),
        "principal": one.principal,
        "interest": one.interest,
        "fees": one.fees,
        "amount": one.amount,
        "days_past_due": one.days_past_due,
        "age_band": one.age_band,
        "entrusted_on": one.entrusted_on,
        "due_back_on": one.due_back_on,
        "group_id": one.group_id,
        "member_id": one.member_id,
        "status": status.value,
    }


def _new_row(session: Session, one: Facts, batches: Batches) -> dict[str, Any]:
    status = CaseStatus(one.status or CaseStatus.IN_HAND)
    return {
        **_own_columns(session, new_id(), one, batches),
        "case_no": one.case_no,
        "closed_on": closing_date(status, clock.today()),
        "created_at": clock.now(),
        "version": 1,
    }


def _changed_row(session: Session, old: Existing, new: Facts, batches: Batches) -> dict[str, Any]:
    kept = old.facts
    whole = replace(
        new,
        group_id=new.group_id or kept.group_id,
        member_id=new.member_id or kept.member_id,
        status=new.status or kept.status,
    )
    row = {**_own_columns(session, old.id, whole, batches), "version": old.version + 1}
    if whole.status != kept.status:
        row["closed_on"] = closing_date(CaseStatus(whole.status or ""), clock.today())
    return row


def _status_change(
    old: Existing, new_status: str | None, actor: Actor, reason: str
) -> dict[str, Any]:
    return {
        "tenant_id": old.facts.tenant_id,
        "id": new_id(),
        "case_id": old.id,
        "old_status": old.facts.status,
        "new_status": new_status,
        "reason": reason,
        "changed_at": clock.now(),
        "changed_by": actor.account_id,
        "changed_by_name": actor.name,
    }
