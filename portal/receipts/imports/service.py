"""Import receipts (C3.4): what a file would record, and recording it. The course of an import is
the same for every kind (`portal.imports`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.columns import Table
from portal.files.problems import CellError
from portal.imports.kinds import ImportKind, Progress
from portal.imports.service import ImportFlow
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.money import ZERO
from portal.receipts.imports import queries
from portal.receipts.imports.rules import Facts, Findings, describe, examine
from portal.receipts.imports.sheet import TEMPLATE
from portal.receipts.models import Receipt, ReceiptImport, ReceiptImportRemark
from tenants.rows import new_id

_ADVISORY = 7305021
"""One import at a time, so that no two see the same serial as new or the same rest to reverse."""


def imports_wait(session: Session) -> None:
    """Let no receipt be recorded until this transaction ends; wait for those being recorded."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a file would record."""

    table: Table
    found: Findings

    @property
    def bad_rows(self) -> int:
        """How many rows cannot be recorded."""
        return self.found.bad_rows

    @property
    def errors(self) -> Sequence[CellError]:
        """What is wrong, in the order of the sheet."""
        return self.found.errors

    @property
    def notes(self) -> Sequence[CellError]:
        """What is recorded, but does not count for commission."""
        return self.found.notes

    @property
    def counts(self) -> dict[str, int]:
        """Rows by what becomes of them."""
        found = self.found
        return {
            "rows": len(self.table.rows),
            "good": len(found.new) + found.unchanged,
            "new": len(found.new),
            "reversals": sum(facts.reverses is not None for _row, facts in found.new),
            "unchanged": found.unchanged,
            "bad": found.bad_rows,
            "errors": len(found.errors),
            "notes": len(found.notes),
        }

    def total(self, *, reversals: bool) -> Decimal:
        """The sum of the new receipts, or of the new reversals."""
        new = (facts for _row, facts in self.found.new)
        return sum((one.amount for one in new if (one.reverses is not None) is reversals), ZERO)

    def report(self) -> dict[str, Any]:
        """For `ReceiptImport.report`: sums, nothing personal."""
        return {
            "credited": str(self.total(reversals=False)),
            "reversed": str(self.total(reversals=True)),
            "excluded": str(self.found.excluded),
        }


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


def _examined(session: Session, table: Table, _progress: Progress) -> Outcome:
    found = Findings() if table.file_errors else examine(table, queries.known_for(session, table))
    return Outcome(table, found)


def _write(
    session: Session, row: ReceiptImport, outcome: Outcome, actor: Actor, progress: Progress
) -> None:
    new = [facts for _row, facts in outcome.found.new]
    record_receipts(session, new, row.id, progress)
    _journal(session, row, outcome, actor)


def _journal(session: Session, row: ReceiptImport, outcome: Outcome, actor: Actor) -> None:
    """One entry of the company with all counts, and one of each vendor with its own."""
    subject = ("receipt_import", row.id)
    credited = str(outcome.total(reversals=False))
    data = {**outcome.counts, "sha256": row.sha256, "credited": credited}
    record(session, "receipts.import.taken", subject, actor=actor, data=data)
    numbers: Counter[UUID] = Counter()
    amounts: dict[UUID, Decimal] = {}
    for _row, facts in outcome.found.new:
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


FLOW = ImportFlow(
    ImportKind(
        name="receipts",
        subject="receipt_import",
        model=ReceiptImport,
        remarks=ReceiptImportRemark,
        template=TEMPLATE,
        max_bytes=20 * 1024 * 1024,
        describe=describe,
        examine=_examined,
        write=_write,
        brings=("new",),
        alone=_ADVISORY,
    )
)
