"""Reads of imports: one, the list, the remarks on a file's cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.imports.kinds import Found, ImportKind, Row
from portal.kernel.errors import NotFound
from portal.kernel.paging import Page, Sort, paginate
from portal.kernel.phrases import Phrase

CHUNK = 1_000


def get_import(
    session: Session, kind: ImportKind[Row, Found], import_id: UUID, *, lock: bool = False
) -> Row:
    """An import; raises `NotFound`. `lock` holds its row until the transaction ends."""
    statement = sa.select(kind.model).where(kind.model.id == import_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("import")
    return row


@dataclass(frozen=True, slots=True)
class ImportLine:
    """An import in the list of imports."""

    id: UUID
    name: str
    state: str
    at: datetime
    by: str
    counts: Mapping[str, int]


def list_imports(
    session: Session, kind: ImportKind[Row, Found], cursor: str | None = None, *, size: int = 20
) -> Page[ImportLine]:
    """The imports, newest first."""
    model = kind.model
    statement = sa.select(
        model.id,
        model.uploaded_at.label("sort_key"),
        model.safe_name,
        model.state,
        model.uploaded_by_name,
        model.report,
    )
    sort = Sort(model.uploaded_at, model.id, descending=True)
    page = paginate(session, statement, sort, cursor, size=size)
    return page.map(
        lambda row: ImportLine(
            row.id,
            row.safe_name,
            row.state,
            row.sort_key,
            row.uploaded_by_name,
            row.report.get("counts", {}),
        )
    )


def find_same_file(session: Session, kind: ImportKind[Row, Found], row: Row) -> Row | None:
    """An earlier import of the very same bytes that was taken."""
    model = kind.model
    return session.scalars(
        sa.select(model)
        .where(
            model.sha256 == row.sha256,
            model.id != row.id,
            model.state == "taken",
            model.uploaded_at <= row.uploaded_at,
        )
        .order_by(model.uploaded_at.desc())
        .limit(1)
    ).first()


@dataclass(frozen=True, slots=True)
class RemarkLine:
    """A remark on a cell, as the page and the workbook of errors show it."""

    row: int
    letter: str
    title: str
    shown: str
    message: Phrase


def _line(kind: ImportKind[Row, Found], row: Any) -> RemarkLine:
    message = kind.describe(row.code, row.params)
    return RemarkLine(row.row_number, row.letter, row.title, row.shown, message)


def _remarks_of(kind: ImportKind[Row, Found], import_id: UUID, *, notes: bool) -> sa.Select[Any]:
    model: Any = kind.remarks
    statement = sa.select(
        model.id,
        model.position.label("sort_key"),
        model.row_number,
        model.letter,
        model.title,
        model.shown,
        model.code,
        model.params,
    ).where(model.import_id == import_id)
    return statement.where(model.note.is_(notes)) if kind.keeps_notes else statement


def remark_page(
    session: Session,
    kind: ImportKind[Row, Found],
    import_id: UUID,
    cursor: str | None = None,
    *,
    notes: bool = False,
) -> Page[RemarkLine]:
    """The wrong cells, or the notes, in the order of the sheet, fifty a page."""
    sort = Sort(kind.remarks.position, kind.remarks.id)
    page = paginate(session, _remarks_of(kind, import_id, notes=notes), sort, cursor)
    return page.map(lambda row: _line(kind, row))


def all_remarks(
    session: Session, kind: ImportKind[Row, Found], import_id: UUID, *, notes: bool = False
) -> Iterator[RemarkLine]:
    """Every remark that is kept, for the workbook."""
    rows = session.execute(
        _remarks_of(kind, import_id, notes=notes).order_by(kind.remarks.position),
        execution_options={"yield_per": CHUNK},
    )
    return (_line(kind, row) for row in rows)
