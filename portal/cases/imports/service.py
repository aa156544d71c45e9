"""Import entrusted cases (UX 8): what a file would do, and writing it. The course of an import is
the same for every kind (`portal.imports`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from portal.cases.bands import bands_on
from portal.cases.imports import queries, writing
from portal.cases.imports.rules import Checker, Existing, Facts, changed_fields, describe
from portal.cases.imports.sheet import TEMPLATE
from portal.cases.models import CaseImport, CaseImportError
from portal.files.columns import Table
from portal.files.problems import CellError
from portal.imports.kinds import ImportKind, Progress
from portal.imports.service import ImportFlow
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.money import ZERO


@dataclass(slots=True)
class Outcome:
    """What a file would do: new cases, changed ones, and its wrong cells."""

    table: Table
    new: list[Facts] = field(default_factory=list)
    changed: list[tuple[Existing, Facts]] = field(default_factory=list)
    unchanged: int = 0
    bad_rows: int = 0
    errors: list[CellError] = field(default_factory=list)
    fields: Counter[str] = field(default_factory=Counter)
    by_vendor: dict[UUID, Counter[str]] = field(default_factory=dict)

    @property
    def notes(self) -> Sequence[CellError]:
        """A row of cases is good or wrong."""
        return ()

    @property
    def counts(self) -> dict[str, int]:
        """Rows by what becomes of them."""
        return {
            "rows": len(self.table.rows),
            "good": len(self.table.rows) - self.bad_rows,
            "new": len(self.new),
            "changed": len(self.changed),
            "unchanged": self.unchanged,
            "bad": self.bad_rows,
            "errors": len(self.errors),
        }

    def report(self) -> dict[str, Any]:
        """For `CaseImport.report`: names of columns and counts, nothing personal."""
        return {
            "fields": dict(self.fields.most_common()),
            "vendors": {str(tenant): dict(counts) for tenant, counts in self.by_vendor.items()},
            "amount_new": str(sum((facts.amount for facts in self.new), ZERO)),
        }


def import_table(session: Session, table: Table, *, actor: Actor, reason: str = "") -> Outcome:
    """Check a table that was read already and write its good rows, without a file behind it."""
    outcome = compare(session, table)
    batches = writing.make_batches(session, _facts(outcome))
    writing.add_cases(session, outcome.new, batches)
    writing.change_cases(session, outcome.changed, batches, actor=actor, reason=reason)
    session.flush()
    return outcome


def compare(
    session: Session, table: Table, progress: Progress = lambda _done, _total: None
) -> Outcome:
    """Check every row of a table and tell new, changed and unchanged cases apart."""
    outcome, total = Outcome(table), len(table.rows)
    if table.file_errors:
        return outcome
    today = clock.today()
    checker = Checker(
        table, queries.vendors_by_name(session, today), bands_on(session, today), today
    )
    good: dict[UUID, dict[str, tuple[int, Facts]]] = {}
    for done, row in enumerate(table.rows, start=1):
        facts, errors = checker.check(row)
        if facts is None:
            outcome.bad_rows += 1
            outcome.errors.extend(errors)
        else:
            good.setdefault(facts.tenant_id, {})[facts.case_no] = (row.number, facts)
        if done % 5_000 == 0:
            progress(done, total)
    for tenant_id, rows in good.items():
        _compare_vendor(session, tenant_id, rows, checker, outcome)
    outcome.errors.sort(key=lambda error: (error.row, len(error.letter), error.letter))
    return outcome


def _compare_vendor(
    session: Session,
    tenant_id: UUID,
    rows: dict[str, tuple[int, Facts]],
    checker: Checker,
    outcome: Outcome,
) -> None:
    counts = outcome.by_vendor.setdefault(tenant_id, Counter())
    known = dict(queries.existing_cases(session, tenant_id, list(rows)))
    for case_no, (number, facts) in rows.items():
        old = known.get(case_no)
        if old is None:
            counts["new"] += 1
            outcome.new.append(facts)
            continue
        keys = changed_fields(old.facts, facts)
        error = checker.step(number, old, facts)
        if error is not None:
            outcome.bad_rows += 1
            outcome.errors.append(error)
        elif keys:
            counts["changed"] += 1
            outcome.fields.update(keys)
            outcome.changed.append((old, facts))
        else:
            counts["unchanged"] += 1
            outcome.unchanged += 1


def _facts(outcome: Outcome) -> Iterable[Facts]:
    return [*outcome.new, *(new for _old, new in outcome.changed)]


def _write(
    session: Session, row: CaseImport, outcome: Outcome, actor: Actor, progress: Progress
) -> None:
    new, total = len(outcome.new), len(outcome.new) + len(outcome.changed)
    batches = writing.make_batches(session, _facts(outcome))
    writing.add_cases(session, outcome.new, batches, lambda done: progress(done, total))
    writing.change_cases(
        session,
        outcome.changed,
        batches,
        actor=actor,
        reason=row.safe_name,
        progress=lambda done: progress(new + done, total),
    )
    session.flush()
    _journal(session, row, outcome, actor)


def _journal(session: Session, row: CaseImport, outcome: Outcome, actor: Actor) -> None:
    """One entry of the company with all counts, and one of each vendor with its own."""
    subject = ("case_import", row.id)
    data = {**outcome.counts, "fields": dict(outcome.fields), "sha256": row.sha256}
    record(session, "cases.import.taken", subject, actor=actor, data=data)
    for tenant_id, counts in outcome.by_vendor.items():
        if counts["new"] or counts["changed"]:
            record(
                session,
                "cases.cases.entrusted",
                subject,
                actor=actor,
                tenant_id=tenant_id,
                data=dict(counts),
            )


FLOW = ImportFlow(
    ImportKind(
        name="cases",
        subject="case_import",
        model=CaseImport,
        remarks=CaseImportError,
        template=TEMPLATE,
        max_bytes=30 * 1024 * 1024,
        describe=describe,
        examine=compare,
        write=_write,
        brings=("new", "changed"),
    )
)
