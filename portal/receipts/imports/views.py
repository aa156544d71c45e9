"""Pages of the import: the template, the upload, the report, the confirmation."""

from __future__ import annotations

import os
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.files import problems
from portal.files.blank import template_workbook
from portal.files.export import ExportColumn, ExportSheet, xlsx
from portal.files.service import get_file
from portal.files.web import send
from portal.jobs.queries import RunView, run_of
from portal.jobs.service import shown
from portal.kernel.access import guard
from portal.kernel.errors import NotFound, PortalError
from portal.kernel.money import Money
from portal.kernel.web import actor, db, is_htmx
from portal.receipts.imports import queries, service
from portal.receipts.imports.forms import TakeForm, UploadForm
from portal.receipts.imports.sheet import COLUMNS, MAX_ROWS, TEMPLATE
from portal.receipts.models import ReceiptImport
from portal.receipts.permissions import IMPORT

bp = Blueprint("receipt_imports", __name__, url_prefix="/receipts/imports")
Answer = str | Response | tuple[str, int]


def _lang() -> str:
    return str(get_locale())


def _download(body: bytes, name: str) -> Response:
    answer = make_response(body)
    answer.headers["Content-Type"] = service.XLSX
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.get("/template.xlsx")
@guard(IMPORT)
def template() -> Answer:
    """The empty workbook, in the reader's language (UX 8)."""
    return _download(template_workbook(TEMPLATE, _lang()), "receipts-template.xlsx")


@bp.get("/")
@guard(IMPORT)
def index() -> Answer:
    """Imports so far, and the upload of the next."""
    return _index_page(UploadForm())


def _index_page(form: UploadForm) -> str:
    page = queries.list_imports(db(), request.args.get("at"))
    base = url_for("receipt_imports.index")
    return render_template(
        "receipts/imports/index.html",
        form=form,
        page=page,
        columns=[(column.title(_lang()), column.required) for column in COLUMNS],
        max_mb=service.MAX_BYTES // (1024 * 1024),
        max_rows=MAX_ROWS,
        next_url=page.next and f"{base}?at={page.next}",
        previous_url=page.previous and f"{base}?at={page.previous}",
    )


@bp.post("/")
@guard(IMPORT)
def upload() -> Answer:
    """Keep the workbook and have it checked; what is wrong with it is told on its page."""
    form = UploadForm()
    if form.validate_on_submit():
        problem = _size_problem(form.file.data.stream)
        if problem is None:
            row = service.upload(
                db(), form.file.data.stream, name=form.file.data.filename, actor=actor()
            )
            db().commit()
            return redirect(url_for("receipt_imports.show", import_id=row.id))
        form.file.errors = [str(problem.message)]
    return _index_page(form), 422


def _size_problem(stream: Any) -> problems.Problem | None:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if not size:
        return problems.Problem("empty")
    if size > service.MAX_BYTES:
        return problems.Problem("too_large", {"most": service.MAX_BYTES // (1024 * 1024)})
    return None


@bp.get("/<uuid:import_id>")
@guard(IMPORT)
def show(import_id: UUID) -> Answer:
    """The import's report: what it would record, what is wrong row by row, or what it did."""
    return _import_page(queries.get_import(db(), import_id))


def _import_page(row: ReceiptImport, problem: PortalError | None = None) -> str:
    run = run_of(db(), row)
    report = row.report
    errors = queries.remark_page(db(), row.id, request.args.get("at"))
    notes = queries.remark_page(db(), row.id, request.args.get("note"), notes=True)
    base = url_for("receipt_imports.show", import_id=row.id)
    return render_template(
        "receipts/imports/show.html",
        row=row,
        run=run,
        problem=problem,
        counts=report.get("counts", {}),
        taken=report.get("taken"),
        amounts={key: Money(report.get(key, "0")) for key in ("credited", "reversed", "excluded")},
        file_errors=[
            problems.describe(one["code"], one["params"]) for one in report.get("file_errors", [])
        ],
        moved=report.get("moved", False),
        same=queries.find_same_file(db(), row),
        errors=errors,
        notes=notes,
        kept=service.KEPT_REMARKS,
        error_urls=_pages(base, "at", errors),
        note_urls=_pages(base, "note", notes),
        **_progress(row, run),
    )


def _pages(base: str, name: str, page: Any) -> tuple[str | None, str | None]:
    """The addresses of the pages before and after."""
    place = "errors" if name == "at" else "notes"
    return (
        page.previous and f"{base}?{name}={page.previous}#{place}",
        page.next and f"{base}?{name}={page.next}#{place}",
    )


def _progress(row: ReceiptImport, run: RunView | None) -> dict[str, Any]:
    error = None
    if run is not None and run.error:
        error = {
            "message": shown(run.error["message"]),
            "mend": shown(run.error["mend"]),
            "reference": run.error["reference"],
        }
    taking = row.state == "taking"
    return {
        "run_error": error,
        "run_label": _("Recording the receipts") if taking else _("Checking the file"),
        "run_url": url_for("receipt_imports.progress", import_id=row.id),
    }


@bp.get("/<uuid:import_id>/progress")
@guard(IMPORT)
def progress(import_id: UUID) -> Answer:
    """The bar of the work at hand; when it has ended, the page is loaded anew."""
    row = queries.get_import(db(), import_id)
    run = run_of(db(), row)
    page = url_for("receipt_imports.show", import_id=row.id)
    if not is_htmx() or run is None:
        return redirect(page)
    if run.ended:
        answer = make_response("")
        answer.headers["HX-Redirect"] = page
        return answer
    return render_template("receipts/imports/_progress.html", run=run, **_progress(row, run))


@bp.post("/<uuid:import_id>/take")
@guard(IMPORT)
def take(import_id: UUID) -> Answer:
    """Confirm: record the good rows. A second click changes nothing."""
    form = TakeForm()
    seen = (form.version.data or "") if form.validate_on_submit() else ""
    try:
        service.confirm(
            db(),
            import_id,
            seen_version=int(seen) if seen.isdecimal() else -1,
            leave_bad=form.leave_bad.data == "1",
            actor=actor(),
        )
        db().commit()
    except NotFound:
        raise
    except PortalError as error:
        db().rollback()
        return _import_page(queries.get_import(db(), import_id), error), error.status
    return redirect(url_for("receipt_imports.show", import_id=import_id))


@bp.post("/<uuid:import_id>/check")
@guard(IMPORT)
def check_again(import_id: UUID) -> Answer:
    """Check the same file once more: cases were imported meanwhile, or the check failed."""
    service.check_again(db(), import_id, actor=actor())
    db().commit()
    return redirect(url_for("receipt_imports.show", import_id=import_id))


@bp.get("/<uuid:import_id>/errors.xlsx")
@guard(IMPORT)
def errors(import_id: UUID) -> Answer:
    """The wrong cells and the notes as a workbook, with the row numbers of the original."""
    row = queries.get_import(db(), import_id)
    columns = [
        ExportColumn(_("Excel row"), "integer"),
        ExportColumn(_("Column"), width=8),
        ExportColumn(_("Title")),
        ExportColumn(_("What stands there"), width=24),
        ExportColumn(_("What is wrong, and how to mend it"), width=90),
    ]
    sheets = [
        ExportSheet(
            title,
            columns,
            [
                (line.row, line.letter, line.title, line.shown, str(line.message))
                for line in queries.all_remarks(db(), row.id, notes=notes)
            ],
        )
        for title, notes in ((_("Errors"), False), (_("Notes"), True))
    ]
    return _download(xlsx(sheets), f"{row.safe_name.removesuffix('.xlsx')}-errors.xlsx")


@bp.get("/<uuid:import_id>/file.xlsx")
@guard(IMPORT)
def original(import_id: UUID) -> Answer:
    """The workbook as it was uploaded."""
    return send(get_file(db(), queries.get_import(db(), import_id).file_id))


_VIEWS: tuple[Any, ...] = (
    template,
    index,
    upload,
    show,
    progress,
    take,
    check_again,
    errors,
    original,
)
for _view in _VIEWS:
    _view.menu = "receipts.index"
