"""The course of an import: keep the file, check it, take its good rows on confirmation (UX 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import IO, Any, Generic
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.columns import Table
from portal.files.problems import CellError
from portal.files.service import get_file, keep, storage
from portal.files.storage import local_copy
from portal.files.workbook import read_table
from portal.imports.kinds import Found, ImportKind, Progress, Row
from portal.imports.queries import CHUNK, get_import
from portal.jobs.queries import run_failed
from portal.jobs.service import enqueue
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Stale
from portal.kernel.phrases import phrase, plural
from tenants.rows import new_id

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KEPT_REMARKS = 10_000
"""So many errors and so many notes are kept for the page and the workbook; all are counted."""


class ImportFlow(Generic[Row, Found]):
    """What can be done with imports of a kind. Nothing commits."""

    def __init__(self, kind: ImportKind[Row, Found]) -> None:
        self.kind = kind

    def get(self, session: Session, import_id: UUID, *, lock: bool = False) -> Row:
        """An import; raises `NotFound`."""
        return get_import(session, self.kind, import_id, lock=lock)

    def upload(self, session: Session, stream: IO[bytes], *, name: str, actor: Actor) -> Row:
        """Keep an uploaded workbook as the company's file and have it checked."""
        kind = self.kind
        file = keep(
            session,
            stream,
            tenant_id=actor.company_id,
            purpose=f"{kind.name}.import",
            original_name=name,
            safe_name=f"{kind.name}-{clock.beijing(clock.now()):%Y%m%d-%H%M%S}.xlsx",
            media_type=XLSX,
            actor=actor,
        )
        row = kind.model()
        row.tenant_id, row.id = actor.company_id, new_id()
        row.file_id, row.sha256, row.safe_name = file.id, file.sha256, file.safe_name
        row.state, row.uploaded_at = "uploaded", clock.now()
        row.uploaded_by, row.uploaded_by_name = actor.account_id, actor.name
        session.add(row)
        session.flush()
        self._enqueue(session, row, "check", actor)
        record(
            session,
            f"{kind.name}.import.uploaded",
            (kind.subject, row.id),
            actor=actor,
            data={"sha256": row.sha256, "bytes": file.size},
        )
        return row

    def _enqueue(self, session: Session, row: Row, verb: str, actor: Actor) -> None:
        name = self.kind.name
        row.run_id = enqueue(
            session,
            f"{name}.{verb}_import",
            {"import_id": row.id},
            actor=actor,
            lock=f"{name}.import",
        )
        session.flush()

    def check_again(self, session: Session, import_id: UUID, *, actor: Actor) -> bool:
        """Check the file once more: its check failed, or what it names was mended. False when a
        check is under way."""
        row = self.get(session, import_id, lock=True)
        if row.state not in ("uploaded", "checked"):
            raise Conflict(
                phrase("This import is closed."), phrase("Upload the file again to check it again.")
            )
        if row.state == "uploaded" and not run_failed(session, row):
            return False
        row.state, row.version = "uploaded", row.version + 1
        self._enqueue(session, row, "check", actor)
        return True

    def confirm(
        self,
        session: Session,
        import_id: UUID,
        *,
        seen_version: int,
        leave_bad: bool,
        actor: Actor,
    ) -> bool:
        """Have the good rows taken; bad ones stay out only with `leave_bad` said.

        Harmless when repeated: False when the import is being taken or was taken already. A take
        that failed on our side may be started again. Raises `Stale` when the report was made anew.
        """
        # Read without the lock first: a job at work holds it, and a second click need not wait.
        if _is_going(session, self.get(session, import_id)):
            return False
        row = self.get(session, import_id, lock=True)
        if _is_going(session, row):
            return False
        self._check_confirmable(row, seen_version, leave_bad=leave_bad)
        row.state, row.version = "taking", row.version + 1
        row.taken_by, row.taken_by_name = actor.account_id, actor.name
        self._enqueue(session, row, "take", actor)
        return True

    def _check_confirmable(self, row: Row, seen_version: int, *, leave_bad: bool) -> None:
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
                plural(
                    "%(count)s row of this file is wrong.",
                    "%(count)s rows of this file are wrong.",
                    by="count",
                    count=counts["bad"],
                ),
                phrase("Mend them and upload again, or say that they stay out."),
            )
        if not any(counts[name] for name in self.kind.brings):
            raise Conflict(
                phrase("There is nothing to take."),
                phrase("All good rows are in the portal already, with the same content."),
            )

    def check(self, session: Session, import_id: UUID, progress: Progress) -> dict[str, Any]:
        """Read and check the file of an import, and keep what was found; writes nothing else."""
        row = self.get(session, import_id, lock=True)
        if row.state != "uploaded":
            return dict(row.report.get("counts", {}))
        table, found = self._examine(session, row, progress)
        self._keep_outcome(session, row, table, found)
        return found.counts

    def take(self, session: Session, import_id: UUID, progress: Progress) -> dict[str, Any]:
        """Write the good rows of a confirmed import, all in the caller's transaction.

        The file is read and checked anew. When more rows are wrong now than the person saw,
        nothing is written: the import goes back to be confirmed on the new report. Taken once, an
        import answers with what it did then.
        """
        if self.kind.alone is not None:
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(self.kind.alone)))
        row = self.get(session, import_id, lock=True)
        if row.state != "taking":
            return dict(row.report.get("taken", {}))
        table, found = self._examine(session, row, progress)
        if table.file_errors or found.bad_rows > row.report["counts"]["bad"]:
            self._keep_outcome(session, row, table, found)
            row.report = {**row.report, "moved": True}
            session.flush()
            return {"again": True}
        by = row.taken_by or row.uploaded_by, row.taken_by_name or row.uploaded_by_name
        self.kind.write(session, row, found, Actor(*by, row.tenant_id, row.tenant_id), progress)
        row.state, row.taken_at, row.version = "taken", clock.now(), row.version + 1
        row.report = {**row.report, "taken": found.counts}
        session.flush()
        return found.counts

    def _examine(self, session: Session, row: Row, progress: Progress) -> tuple[Table, Found]:
        """Read the import's file in the sandbox and compare every row with what is there."""
        file = get_file(session, row.file_id)
        progress(0, 0)
        with local_copy(storage(), file.storage_key) as path:
            table = read_table(path, self.kind.template)
        return table, self.kind.examine(session, table, progress)

    def _keep_outcome(self, session: Session, row: Row, table: Table, found: Found) -> None:
        """Put the report and the remarks in place of those of an earlier check."""
        remarks = self.kind.remarks
        session.execute(
            sa.delete(remarks).where(
                remarks.tenant_id == row.tenant_id, remarks.import_id == row.id
            )
        )
        self._keep_remarks(session, row, found.errors, note=False)
        self._keep_remarks(session, row, found.notes, note=True)
        row.report = {
            "file_errors": [asdict(problem) for problem in table.file_errors],
            "counts": found.counts,
            **found.report(),
        }
        row.state = "refused" if table.file_errors else "checked"
        row.version += 1
        session.flush()

    def _keep_remarks(
        self, session: Session, row: Row, remarks: Sequence[CellError], *, note: bool
    ) -> None:
        more = {"note": note} if self.kind.keeps_notes else {}
        kept = remarks[:KEPT_REMARKS]
        for start in range(0, len(kept), CHUNK):
            part = enumerate(kept[start : start + CHUNK], start=start)
            values = [{**_remark(row, place, one), **more} for place, one in part]
            session.execute(sa.insert(self.kind.remarks), values)


def _is_going(session: Session, row: Row) -> bool:
    """Taken, or being taken by work that has not failed."""
    taking = row.state == "taking" and not run_failed(session, row)
    return row.state == "taken" or taking


def _remark(row: Row, position: int, remark: CellError) -> dict[str, Any]:
    return {
        "tenant_id": row.tenant_id,
        "id": new_id(),
        "import_id": row.id,
        "position": position,
        "row_number": remark.row,
        "letter": remark.letter,
        "title": remark.title,
        "code": remark.code,
        "params": dict(remark.params),
        "shown": remark.shown,
    }
