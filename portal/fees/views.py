"""Pages of fee statements."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.fees import queries, service
from portal.fees.permissions import CONFIRM, PREPARE, VIEW
from portal.fees.reasons import multiplier_shown
from portal.fees.snapshot import thaw
from portal.files.export import ExportColumn, ExportSheet, xlsx
from portal.jobs.queries import find_run
from portal.jobs.service import enqueue
from portal.kernel.access import guard
from portal.kernel.web import actor, check_version, db
from portal.scoring.addresses import opens
from portal.scoring.forms import PeriodForm
from portal.scoring.service import check_period

bp = Blueprint("fees", __name__, url_prefix="/statements")
Answer = str | Response | tuple[str, int]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _index(form: PeriodForm, status: int = 200) -> Answer:
    # Before the list: what the bar calls done is on the page.
    run = find_run(db(), request.args.get("run", ""), actor())
    page = queries.list_statements(
        db(), period=request.args.get("period", "")[:7], cursor=request.args.get("cursor")
    )
    return (
        render_template(
            "fees/index.html",
            page=page,
            form=form,
            run=run,
            may_prepare=actor().may(PREPARE),
            is_company=actor().is_company,
        ),
        status,
    )


@bp.get("")
@guard(VIEW)
def index() -> Answer:
    """Statements by month."""
    return _index(PeriodForm(formdata=None))


@bp.post("/prepare")
@guard(PREPARE)
def prepare() -> Answer:
    """Prepare a month for every vendor with an issued score, as a job."""
    form = PeriodForm()
    if not form.validate_on_submit():
        return _index(form, 422)
    period = check_period(form.period.data or "")
    run = enqueue(
        db(),
        "fees.prepare_month",
        {"period": period, "account_id": actor().account_id, "name": actor().name},
        actor=actor(),
        lock=f"fees {period}",
    )
    db().commit()
    return redirect(url_for("fees.index", period=period, run=run))


@bp.get("/<uuid:statement_id>")
@guard(VIEW)
def show(statement_id: UUID) -> Answer:
    """One statement: every line with its reason and fact, figures and 大写."""
    return render_template("fees/show.html", **_page(statement_id))


def _page(statement_id: UUID) -> dict[str, Any]:
    row = service.get_statement(db(), statement_id)
    result = thaw(row.result)
    return {
        "statement": row,
        "result": result,
        "tier": multiplier_shown(result.multiplier),
        "heading": queries.heading(db(), row),
        "lines": queries.line_views(db(), row, result.lines, opened=opens(actor())),
        "may_confirm": actor().may(CONFIRM) and row.state == "prepared",
        "prepared_by_me": row.prepared_by == actor().account_id,
        "is_company": actor().is_company,
    }


@bp.post("/<uuid:statement_id>/confirm")
@guard(CONFIRM)
def confirm(statement_id: UUID) -> Answer:
    """Finance confirms a statement."""
    row = service.get_statement(db(), statement_id)
    check_version(row, request.form.get("version"))
    service.confirm(db(), statement_id, actor=actor())
    db().commit()
    flash(_("The statement is confirmed; the vendor sees it now."), "success")
    return redirect(url_for("fees.show", statement_id=statement_id))


@bp.get("/<uuid:statement_id>/xlsx")
@guard(VIEW)
def export(statement_id: UUID) -> Response:
    """The statement as a workbook: what the page shows, line by line."""
    page = _page(statement_id)
    row, result, heading = page["statement"], page["result"], page["heading"]
    head = (heading.vendor, heading.contract, row.period, row.number or _("not confirmed yet"))
    sheet = ExportSheet(
        title=row.period,
        columns=(
            ExportColumn(_("Line"), "text"),
            ExportColumn(_("Reason"), "text", 72),
            ExportColumn(_("Amount, CNY"), "money"),
        ),
        rows=[(str(line.kind), str(line.why), line.amount) for line in page["lines"]],
        notes=(
            " · ".join(head),
            _("Net %(net)s, tax %(tax)s", net=f"{result.net:,.2f}", tax=f"{result.tax:,.2f}"),
        ),
        total=(_("Payable, tax included"), result.capital, result.payable),
    )
    answer = make_response(xlsx([sheet]))
    answer.mimetype = XLSX
    name = row.number or f"statement-{row.period}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return answer


_views: tuple[Any, ...] = (show, prepare, confirm, export)
for _view in _views:
    _view.menu = "fees.index"
