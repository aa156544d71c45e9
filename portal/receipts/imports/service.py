"""Import receipts: keep the file, check it, take its good rows on finance's confirmation (C3.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import IO, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

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
from portal.receipts.imports import queries
from portal.receipts.imports.rules import Facts, Findings, examine
from portal.receipts.imports.sheet import TEMPLATE
from portal.receipts.models import Receipt, ReceiptImport, ReceiptImportRemark
from tenants.rows import new_id

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_BYTES = 20 * 1024 * 1024
KEPT_REMARKS = 10_000
"""So many errors and so many notes are kept for the page and the workbook; all are counted."""
LOCK = "receipts.import"
_ADVISORY = 7305021
Progress = Callable[[int, int], None]


def upload(session: Session, stream: IO[bytes], *, name: str, actor: Actor) -> ReceiptImport:
    """Keep an uploaded workbook as the company's file and have it checked."""
    file = keep(
        session,
        stream,
        tenant_id=actor.company_id,
        purpose="receipts.import",
        original_name=name,
        safe_name=f"receipts-{clock.beijing(clock.now()):%Y%m%d-%H%M%S}.xlsx",
        media_type=XLSX,
        actor=actor,
    )
    row = ReceiptImport(
        tenant_id=actor.company_id,
        id=new_id(),
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
    _enqueue(session, row, "check", actor)
    data = {"sha256": row.sha256, "bytes": file.size}
    record(session, "receipts.import.uploaded", ("receipt_import", row.id), actor=actor, data=data)
    return row


def _enqueue(session: Session, row: ReceiptImport, verb: str, actor: Actor) -> None:
    row.run_id = enqueue(
        session, f"receipts.{verb}_import", {"import_id": row.id}, actor=actor, lock=LOCK
    )
    session.flush()


def check_again(session: Session, import_id: UUID, *, actor: Actor) -> bool:
    """Check the file once more: its check failed, or cases were imported meanwhile. False when a
    check is under way."""
    row = queries.get_import(session, import_id, lock=True)
    if row.state not in ("uploaded", "checked"):
        raise Conflict(
            phrase("This import is closed."), phrase("Upload the file again to check it again.")
        )
    if row.state == "uploaded" and not run_failed(session, row):
        return False
    row.state, row.version = "uploaded", row.version + 1
    _enqueue(session, row, "check", actor)
    return True


def confirm(
    session: Session, import_id: UUID, *, seen_version: int, leave_bad: bool, actor: Actor
) -> bool:
    """Finance confirms: have the good rows taken; bad ones stay out only with `leave_bad` said.

    Harmless when repeated: False when the import is being taken or was taken already. A take that
    failed on our side may be started again. Raises `Stale` when the report was made anew.
    """
    # Read without the lock first: a job at work holds it, and a second click need not wait.
    if _is_going(session, queries.get_import(session, import_id)):
        return False
    row = queries.get_import(session, import_id, lock=True)
    if _is_going(session, row):
        return False
    _check_confirmable(row, seen_version, leave_bad=leave_bad)
    row.state, row.version = "taking", row.version + 1
    row.taken_by, row.taken_by_name = actor.account_id, actor.name
    _enqueue(session, row, "take", actor)
    return True


def _is_going(session: Session, row: ReceiptImport) -> bool:
    """Taken, or being taken by work that has not failed."""
    taking = row.state == "taking" and not run_failed(session, row)
    return row.state == "taken" or taking


def _check_confirmable(row: ReceiptImport, seen_version: int, *, leave_bad: bool) -> None:
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
    if not counts["new"]:
        raise Conflict(
            phrase("There is nothing to take."),
            phrase("All good rows are in the portal already, with the same content."),
        )


def check(session: Session, import_id: UUID, progress: Progress) -> dict[str, Any]:
    """Read and check the file of an import, and keep what was found; records no receipt."""
    row = queries.get_import(session, import_id, lock=True)
    if row.state != "uploaded":
        return dict(row.report.get("counts", {}))
    table, found = _examine(session, row, progress)
    _keep_outcome(session, row, table, found)
    return dict(row.report["counts"])


def take(session: Session, import_id: UUID, progress: Progress) -> dict[str, Any]:
    """Record the good rows of a confirmed import, all in the caller's transaction.

    The file is read and checked anew. When more rows are wrong now than the person saw, nothing is
    recorded: the import goes back to be confirmed on the new report. Taken once, an import answers
    with what it did then.
    """
    # One import at a time, so that no two see the same serial as new or the same rest to reverse.
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY)))
    row = queries.get_import(session, import_id, lock=True)
    if row.state != "taking":
        return dict(row.report.get("taken", {}))
    table, found = _examine(session, row, progress)
    if table.file_errors or found.bad_rows > row.report["counts"]["bad"]:
        _keep_outcome(session, row, table, found)
        row.report = {**row.report, "moved": True}
        session.flush()
        return {"again": True}
    record_receipts(session, [facts for _row, facts in found.new], row.id, progress)
    row.state, row.taken_at, row.version = "taken", clock.now(), row.version + 1
    counts = _counts(table, found)
    row.report = {**row.report, "taken": counts}
    actor = Actor(
        row.taken_by or row.uploaded_by,
        row.taken_by_name or row.uploaded_by_name,
        row.tenant_id,
        row.tenant_id,
    )
    _journal(session, row, found, counts, actor)
    session.flush()
    return counts


def record_receipts(
    session: Session,
    facts: Sequence[Facts],
    import_id: UUID,
    progress: Progress = lambda _done, _total: None,
) -> None:
    """Insert receipts that were checked; originals before what takes them back."""
    now = clock.now()
    ordered = sorted(facts, key=lambda one: one.reverses is not None)
    for start in range(0, len(ordered), queries.CHUNK):
        part = ordered[start : start + queries.CHUNK]
        session.execute(
            sa.insert(Receipt),
            [
                {**asdict(one), "id": new_id(), "import_id": import_id, "confirmed_at": now}
                for one in part
            ],
        )
        progress(start + len(part), len(ordered))


def _examine(session: Session, row: ReceiptImport, progress: Progress) -> tuple[Table, Findings]:
    file = get_file(session, row.file_id)
    progress(0, 0)
    with local_copy(storage(), file.storage_key) as path:
        table = read_table(path, TEMPLATE)
    if table.file_errors:
        return table, Findings()
    return table, examine(table, queries.known_for(session, table))


def _counts(table: Table, found: Findings) -> dict[str, int]:
    return {
        "rows": len(table.rows),
        "good": len(found.new) + found.unchanged,
        "new": len(found.new),
        "reversals": sum(facts.reverses is not None for _row, facts in found.new),
        "unchanged": found.unchanged,
        "bad": found.bad_rows,
        "errors": len(found.errors),
        "notes": len(found.notes),
    }


def _sum(found: Findings, *, reversals: bool) -> Decimal:
    return sum(
        (facts.amount for _row, facts in found.new if (facts.reverses is not None) is reversals),
        ZERO,
    )


def _keep_outcome(session: Session, row: ReceiptImport, table: Table, found: Findings) -> None:
    """Put the report and the remarks in place of those of an earlier check."""
    session.execute(
        sa.delete(ReceiptImportRemark).where(
            ReceiptImportRemark.tenant_id == row.tenant_id,
            ReceiptImportRemark.import_id == row.id,
        )
    )
    _keep_remarks(session, row, found.errors, note=False)
    _keep_remarks(session, row, found.notes, note=True)
    row.report = {
        "file_errors": [asdict(problem) for problem in table.file_errors],
        "counts": _counts(table, found),
        "credited": str(_sum(found, reversals=False)),
        "reversed": str(_sum(found, reversals=True)),
        "excluded": str(found.excluded),
    }
    row.state = "refused" if table.file_errors else "checked"
    row.version += 1
    session.flush()


def _keep_remarks(
    session: Session, row: ReceiptImport, remarks: Sequence[CellError], *, note: bool
) -> None:
    values = [
        {
            "tenant_id": row.tenant_id,
            "id": new_id(),
            "import_id": row.id,
            "note": note,
            "position": position,
            "row_number": one.row,
            "letter": one.letter,
            "title": one.title,
            "code": one.code,
            "params": dict(one.params),
            "shown": one.shown,
        }
        for position, one in enumerate(remarks[:KEPT_REMARKS])
    ]
    if values:
        session.execute(sa.insert(ReceiptImportRemark), values)


def _journal(
    session: Session, row: ReceiptImport, found: Findings, counts: dict[str, int], actor: Actor
) -> None:
    """One entry of the company with all counts, and one of each vendor with its own."""
    subject = ("receipt_import", row.id)
    data = {**counts, "sha256": row.sha256, "credited": str(_sum(found, reversals=False))}
    record(session, "receipts.import.taken", subject, actor=actor, data=data)
    numbers: Counter[UUID] = Counter()
    amounts: dict[UUID, Decimal] = {}
    for _row, facts in found.new:
        numbers[facts.tenant_id] += 1
        amounts[facts.tenant_id] = amounts.get(facts.tenant_id, ZERO) + facts.amount
    for tenant_id, count in numbers.items():
        own = {"receipts": count, "amount": str(amounts[tenant_id])}
        record(
            session,
            "receipts.receipts.recorded",
            subject,
            actor=actor,
            tenant_id=tenant_id,
            data=own,
        )
