"""Import penalty clauses: what a file would change in the catalogue, and the version it makes. The
course of an import is the same for every kind (`portal.imports`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from portal.files.columns import Table
from portal.files.problems import CellError
from portal.imports.kinds import ImportKind, Progress
from portal.imports.service import ImportFlow
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict
from portal.kernel.phrases import phrase
from portal.schemes.service import history, publish
from portal.vendors.clause_imports.models import ClauseImport, ClauseImportError
from portal.vendors.clause_imports.rules import Findings, Newest, describe, examine, merged
from portal.vendors.clause_imports.sheet import TEMPLATE
from portal.vendors.penalties import PENALTY_CLAUSES

_ADVISORY = 7305023
"""One import at a time: the second is compared with the version that the first made."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a file would change."""

    table: Table
    found: Findings

    @property
    def bad_rows(self) -> int:
        """How many rows cannot be taken."""
        return self.found.bad_rows

    @property
    def errors(self) -> Sequence[CellError]:
        """What is wrong, in the order of the sheet."""
        return self.found.errors

    @property
    def notes(self) -> Sequence[CellError]:
        """None: a clause is right or wrong."""
        return ()

    @property
    def counts(self) -> dict[str, int]:
        """Rows by what becomes of them."""
        found = self.found
        good = found.new + found.changed + found.abolished + found.unchanged
        return {
            "rows": len(self.table.rows),
            "good": good,
            "new": found.new,
            "changed": found.changed,
            "abolished": found.abolished,
            "unchanged": found.unchanged,
            "bad": found.bad_rows,
            "errors": len(found.errors),
            "notes": 0,
        }

    def report(self) -> dict[str, Any]:
        """From when the version would be in force."""
        day = self.found.in_force_from
        return {"in_force_from": day.isoformat() if day else None}


def _examined(session: Session, table: Table, _progress: Progress) -> Outcome:
    newest = history(session, PENALTY_CLAUSES)[0]
    known = {str(clause["no"]): clause for clause in newest.content["clauses"]}
    against = Newest(known, newest.is_default, newest.in_force_from)
    found = Findings() if table.file_errors else examine(table, against, clock.today())
    return Outcome(table, found)


def _write(
    session: Session, row: ClauseImport, outcome: Outcome, actor: Actor, progress: Progress
) -> None:
    """Publish the next version of the catalogue: what the file changes, and all that it does not
    name as it was."""
    found, newest = outcome.found, history(session, PENALTY_CLAUSES)[0]
    if found.in_force_from is None or not found.clauses:
        raise Conflict(
            phrase("There is nothing to take."), phrase("Another version says the same already.")
        )
    clauses = merged(newest.content["clauses"], found.clauses)
    made = publish(
        session,
        PENALTY_CLAUSES,
        {**newest.content, "clauses": clauses},
        in_force_from=found.in_force_from,
        reason=row.safe_name,
        seen_version=newest.version,
        actor=actor,
    )
    progress(len(found.clauses), len(found.clauses))
    record(
        session,
        "clauses.import.taken",
        ("clause_import", row.id),
        actor=actor,
        data={**outcome.counts, "sha256": row.sha256, "version": made.version},
    )


FLOW = ImportFlow(
    ImportKind(
        name="clauses",
        subject="clause_import",
        model=ClauseImport,
        remarks=ClauseImportError,
        template=TEMPLATE,
        max_bytes=5 * 1024 * 1024,
        describe=describe,
        examine=_examined,
        write=_write,
        brings=("new", "changed", "abolished"),
        alone=_ADVISORY,
    )
)
