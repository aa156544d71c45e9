"""The pages of a kind of import: template, upload, report, confirmation, what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any, Generic
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.files import problems
from portal.files.blank import template_workbook
from portal.files.export import xlsx
from portal.files.service import get_file
from portal.files.web import attached, send
from portal.imports import queries
from portal.imports.forms import TakeForm, UploadForm
from portal.imports.kinds import Found, Row
from portal.imports.pages import remark_sheet, size_problem
from portal.imports.service import KEPT_REMARKS, ImportFlow
from portal.jobs.queries import RunView, run_of
from portal.jobs.service import error_of
from portal.kernel.access import Permission, guard
from portal.kernel.errors import NotFound, PortalError
from portal.kernel.phrases import Phrase
from portal.kernel.web import actor, db, is_htmx

Answer = str | Response | tuple[str, int]


@dataclass(frozen=True)
class ImportPages(Generic[Row, Found]):
    """What the pages of a kind are called and what they show beyond the others'.

    `templates`: the folder with its `index.html` and `show.html`, which fill the blocks of
    templates/imports/. `menu`: the list's endpoint. `taking`: what the bar says while rows are
    taken. `more`: what the report's page shows of the kind, by the import's row.
    """

    flow: ImportFlow[Row, Found]
    endpoint: str
    prefix: str
    permission: Permission
    templates: str
    menu: str
    taking: Phrase
    more: Callable[[Row], dict[str, Any]]

    def blueprint(self) -> Blueprint:
        """The blueprint with all pages, each guarded by the kind's permission."""
        bp = Blueprint(self.endpoint, __name__, url_prefix=self.prefix)
        one = "/<uuid:import_id>"
        for rule, method, view in (
            ("/template.xlsx", "GET", self.template),
            ("/", "GET", self.index),
            ("/", "POST", self.upload),
            (one, "GET", self.show),
            (f"{one}/progress", "GET", self.progress),
            (f"{one}/take", "POST", self.take),
            (f"{one}/check", "POST", self.check_again),
            (f"{one}/errors.xlsx", "GET", self.errors),
            (f"{one}/file.xlsx", "GET", self.original),
        ):
            page: Any = guard(self.permission)(update_wrapper(partial(view), view))
            page.menu = self.menu
            bp.add_url_rule(rule, endpoint=view.__name__, view_func=page, methods=[method])
        return bp

    def _url(self, name: str, **values: Any) -> str:
        return url_for(f"{self.endpoint}.{name}", **values)

    def template(self) -> Answer:
        """The empty workbook, in the reader's language (UX 8)."""
        kind = self.flow.kind
        body = template_workbook(kind.template, str(get_locale()))
        return attached(body, f"{kind.name}-template.xlsx")

    def index(self) -> Answer:
        """Imports so far, and the upload of the next."""
        return self._index_page(UploadForm())

    def _index_page(self, form: UploadForm) -> str:
        kind = self.flow.kind
        page = queries.list_imports(db(), kind, request.args.get("at"))
        base, lang = self._url("index"), str(get_locale())
        return render_template(
            f"{self.templates}/index.html",
            at=self.endpoint,
            form=form,
            page=page,
            columns=[(one.title(lang), one.required) for one in kind.template.columns],
            max_mb=kind.max_bytes // (1024 * 1024),
            max_rows=kind.template.max_rows,
            next_url=page.next and f"{base}?at={page.next}",
            previous_url=page.previous and f"{base}?at={page.previous}",
        )

    def upload(self) -> Answer:
        """Keep the workbook and have it checked; what is wrong with it is told on its page."""
        form = UploadForm()
        if form.validate_on_submit():
            file = form.file.data
            problem = size_problem(file.stream, self.flow.kind.max_bytes)
            if problem is None:
                row = self.flow.upload(db(), file.stream, name=file.filename, actor=actor())
                db().commit()
                return redirect(self._url("show", import_id=row.id))
            form.file.errors = [str(problem.message)]
        return self._index_page(form), 422

    def show(self, import_id: UUID) -> Answer:
        """The import's report: what it would do, what is wrong row by row, or what it did."""
        return self._import_page(self.flow.get(db(), import_id))

    def _import_page(self, row: Row, problem: PortalError | None = None) -> str:
        kind, run = self.flow.kind, run_of(db(), row)
        report = row.report
        errors = queries.remark_page(db(), kind, row.id, request.args.get("at"))
        base = self._url("show", import_id=row.id)
        more = self.more(row)
        if kind.keeps_notes:
            cursor = request.args.get("note")
            more["notes"] = queries.remark_page(db(), kind, row.id, cursor, notes=True)
            more["note_urls"] = _around(base, "note", "notes", more["notes"])
        return render_template(
            f"{self.templates}/show.html",
            at=self.endpoint,
            row=row,
            run=run,
            problem=problem,
            counts=report.get("counts", {}),
            brings=any(report.get("counts", {}).get(name) for name in kind.brings),
            taken=report.get("taken"),
            file_errors=[
                problems.describe(one["code"], one["params"])
                for one in report.get("file_errors", [])
            ],
            moved=report.get("moved", False),
            same=queries.find_same_file(db(), kind, row),
            errors=errors,
            error_urls=_around(base, "at", "errors", errors),
            kept=KEPT_REMARKS,
            **more,
            **self._bar(row, run),
        )

    def _bar(self, row: Row, run: RunView | None) -> dict[str, Any]:
        return {
            "run_error": error_of(run),
            "run_label": str(self.taking) if row.state == "taking" else _("Checking the file"),
            "run_url": self._url("progress", import_id=row.id),
        }

    def progress(self, import_id: UUID) -> Answer:
        """The bar of the work at hand; when it has ended, the page is loaded anew."""
        row = self.flow.get(db(), import_id)
        run = run_of(db(), row)
        page = self._url("show", import_id=row.id)
        if not is_htmx() or run is None:
            return redirect(page)
        if run.ended:
            answer = make_response("")
            answer.headers["HX-Redirect"] = page
            return answer
        return render_template("imports/_progress.html", run=run, **self._bar(row, run))

    def take(self, import_id: UUID) -> Answer:
        """Confirm: take the good rows. A second click changes nothing."""
        form = TakeForm()
        seen = (form.version.data or "") if form.validate_on_submit() else ""
        try:
            self.flow.confirm(
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
            return self._import_page(self.flow.get(db(), import_id), error), error.status
        return redirect(self._url("show", import_id=import_id))

    def check_again(self, import_id: UUID) -> Answer:
        """Check the same file once more: what it names was mended, or the check failed."""
        self.flow.check_again(db(), import_id, actor=actor())
        db().commit()
        return redirect(self._url("show", import_id=import_id))

    def errors(self, import_id: UUID) -> Answer:
        """The wrong cells, and the notes, as a workbook with the row numbers of the original."""
        kind, row = self.flow.kind, self.flow.get(db(), import_id)
        sheets = [(_("Errors"), False), (_("Notes"), True)]
        body = xlsx(
            remark_sheet(title, queries.all_remarks(db(), kind, row.id, notes=notes))
            for title, notes in sheets[: 1 + kind.keeps_notes]
        )
        return attached(body, f"{row.safe_name.removesuffix('.xlsx')}-errors.xlsx")

    def original(self, import_id: UUID) -> Answer:
        """The workbook as it was uploaded."""
        return send(get_file(db(), self.flow.get(db(), import_id).file_id))


def _around(base: str, name: str, place: str, page: Any) -> tuple[str | None, str | None]:
    """The addresses of the pages before and after."""
    return (
        page.previous and f"{base}?{name}={page.previous}#{place}",
        page.next and f"{base}?{name}={page.next}#{place}",
    )
