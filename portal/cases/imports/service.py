"""Import entrusted cases: keep the file, check it, take its good rows on confirmation (UX 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import IO, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.bands import bands_on
from portal.cases.imports import queries, writing
from portal.cases.imports.rules import Checker, Existing, Facts, changed_fields
from portal.cases.imports.sheet import TEMPLATE
from portal.cases.models import CaseImport, CaseImportError
from portal.files.columns import Table
from portal.files.problems import CellError
from portal.files.service import get_file, keep, storage
from portal.files.storage import local_copy
from portal.files.workbook import read_table
from portal.jobs.queries import run_failed
from portal.jobs.service import enqueue
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Stale
from portal.kernel.money import ZERO
from portal.kernel.phrases import phrase
from tenants.rows import new_id

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_BYTES = 30 * 1024 * 1024
KEPT_ERRORS = 10_000
"""So many wrong cells are kept for the page and the workbook of errors; all are counted."""
LOCK = "cases.import"
Progress = Callable[[int, int], None]


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
        """For `CaseImport.report`: counts and names of columns, nothing personal."""
        return {
            "file_errors": [asdict(problem) for problem in self.table.file_errors],
            "counts": self.counts,
            "fields": dict(self.fields.most_common()),
            "vendors": {str(tenant): dict(counts) for tenant, counts in self.by_vendor.items()},
            "amount_new": str(sum((facts.amount for facts in self.new), ZERO)),
        }


def upload(session: Session, stream: IO[bytes], *, name: str, actor: Actor) -> CaseImport:
    """Keep an uploaded workbook as the company's file and have it checked."""
    import_id = new_id()
    file = keep(
        session,
        stream,
        tenant_id=actor.company_id,
        purpose="cases.import",
        original_name=name,
        safe_name=f"cases-{clock.beijing(clock.now()):%Y%m%d-%H%M%S}.xlsx",
        media_type=XLSX,
        actor=actor,
    )
    row = CaseImport(
        tenant_id=actor.company_id,
        id=import_id,
        file_id=file.id,
        sha256=file.sha256,
        safe_name=file.safe_name,
        state="uploaded",
        uploaded_at=clock.now(),
        uploaded_by=actor.account_id,
        uploaded_by_name=actor.name,
    )
    session.add(row)
    session.flush()
    row.run_id = _enqueue_check(session, row, actor)
    record(
        session,
        "cases.import.uploaded",
        ("case_import", row.id),
        actor=actor,
        data={"sha256": row.sha256, "bytes": file.size},
    )
    session.flush()
    return row


def check_again(session: Session, row: CaseImport, *, actor: Actor) -> None:
    """Check the file once more: its first check failed, or vendors and projects were mended."""
    if row.state not in ("uploaded", "checked"):
        raise Conflict(
            phrase("This import is closed."), phrase("Upload the file again to check it again.")
        )
    row.state, row.version = "uploaded", row.version + 1
    row.run_id = _enqueue_check(session, row, actor)
    session.flush()


def _enqueue_check(session: Session, row: CaseImport, actor: Actor) -> UUID:
    return enqueue(session, "cases.check_import", {"import_id": row.id}, actor=actor, lock=LOCK)


def confirm(
    session: Session, import_id: UUID, *, seen_version: int, leave_bad: bool, actor: Actor
) -> bool:
    """Have the good rows taken; bad ones stay out only with `leave_bad` said.

    Harmless when repeated: False when the import is being taken or was taken already. A take that
    failed on our side may be started again. Raises `Stale` when the report was made anew.
    """
    # Read without the lock first: a job at work holds it, and a second click need not wait.
    row = queries.get_import(session, import_id)
    if _is_going(session, row):
        return False
    row = queries.get_import(session, import_id, lock=True)
    if _is_going(session, row):
        return False
    if row.state not in ("checked", "taking"):
        raise Conflict(
            phrase("This file cannot be taken."),
            phrase("Mend what the page names and upload the file again."),
        )
    if row.version != seen_version:
        raise Stale(
            phrase("The file was checked again since you opened the page."),
            phrase("Look at the new report below, then confirm."),
        )
    counts = row.report["counts"]
    if counts["bad"] and not leave_bad:
        raise Conflict(
            phrase("%(count)s rows of this file are wrong.", count=counts["bad"]),
            phrase("Mend them and upload again, or say that they stay out."),
        )
    if not counts["new"] and not counts["changed"]:
        raise Conflict(
            phrase("There is nothing to take."),
            phrase("All good rows are in the portal already, with the same content."),
        )
    row.state, row.version = "taking", row.version + 1
    row.taken_by, row.taken_by_name = actor.account_id, actor.name
    row.run_id = enqueue(
        session, "cases.take_import", {"import_id": row.id}, actor=actor, lock=LOCK
    )
    session.flush()
    return True


def _is_going(session: Session, row: CaseImport) -> bool:
    """Taken, or being taken by work that has not failed."""
    taking = row.state == "taking" and not run_failed(session, row)
    return row.state == "taken" or taking


def check(session: Session, import_id: UUID, progress: Progress) -> dict[str, int]:
    """Read and check the file of an import, and keep what was found; changes no case."""
    row = queries.get_import(session, import_id, lock=True)
    if row.state != "uploaded":
        return dict(row.report.get("counts", {}))
    outcome = examine(session, row, progress)
    _keep_outcome(session, row, outcome)
    return outcome.counts


def take(session: Session, import_id: UUID, progress: Progress) -> dict[str, Any]:
    """Write the good rows of a confirmed import, all in the caller's transaction.

    The file is read and checked anew. When more rows are wrong now than the person saw, nothing
    is written: the import goes back to be confirmed on the new report. Taken once, an import
    answers with what it did then.
    """
    row = queries.get_import(session, import_id, lock=True)
    if row.state != "taking":
        return dict(row.report.get("taken", {}))
    outcome = examine(session, row, progress)
    if outcome.table.file_errors or outcome.bad_rows > row.report["counts"]["bad"]:
        _keep_outcome(session, row, outcome)
        row.report = {**row.report, "moved": True}
        session.flush()
        return {"again": True}
    actor = Actor(
        row.taken_by or row.uploaded_by,
        row.taken_by_name or row.uploaded_by_name,
        row.tenant_id,
        row.tenant_id,
    )
    _write(session, row, outcome, actor, progress)
    row.state, row.taken_at, row.version = "taken", clock.now(), row.version + 1
    row.report = {**row.report, "taken": outcome.counts}
    _journal(session, row, outcome, actor)
    session.flush()
    return outcome.counts


def import_table(session: Session, table: Table, *, actor: Actor, reason: str = "") -> Outcome:
    """Check a table that was read already and write its good rows, without a file behind it."""
    outcome = compare(session, table)
    batches = writing.make_batches(session, _facts(outcome))
    writing.add_cases(session, outcome.new, batches)
    writing.change_cases(session, outcome.changed, batches, actor=actor, reason=reason)
    session.flush()
    return outcome


def examine(session: Session, row: CaseImport, progress: Progress) -> Outcome:
    """Read the import's file in the sandbox and compare every row with what is there."""
    file = get_file(session, row.file_id)
    progress(0, 0)
    with local_copy(storage(), file.storage_key) as path:
        table = read_table(path, TEMPLATE)
    return compare(session, table, progress)


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


def _keep_outcome(session: Session, row: CaseImport, outcome: Outcome) -> None:
    """Put the report and the wrong cells in place of those of an earlier check."""
    session.execute(
        sa.delete(CaseImportError).where(
            CaseImportError.tenant_id == row.tenant_id, CaseImportError.import_id == row.id
        )
    )
    kept = outcome.errors[:KEPT_ERRORS]
    for start in range(0, len(kept), writing.CHUNK):
        part = enumerate(kept[start : start + writing.CHUNK], start=start)
        session.execute(
            sa.insert(CaseImportError), [_error_row(row, place, error) for place, error in part]
        )
    row.report = outcome.report()
    row.state = "refused" if outcome.table.file_errors else "checked"
    row.version += 1
    session.flush()


def _error_row(row: CaseImport, position: int, error: CellError) -> dict[str, Any]:
    return {
        "tenant_id": row.tenant_id,
        "id": new_id(),
        "import_id": row.id,
        "position": position,
        "row_number": error.row,
        "letter": error.letter,
        "title": error.title,
        "code": error.code,
        "params": dict(error.params),
        "shown": error.shown,
    }


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
