"""What is near the end of its time: the dry run, holds, deletion, and what was deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.files.export import ExportColumn, ExportSheet, xlsx
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import Conflict, Invalid, NotFound, PortalError
from portal.kernel.web import actor, db
from portal.retention import queries, service
from portal.retention.forms import HoldForm
from portal.retention.kinds import HoldOn, Standing
from portal.retention.permissions import DELETE, HOLD, SEE
from portal.retention.scheme import terms
from portal.retention.things import things
from portal.retention.words import CLASSES, STANDINGS, SUBJECTS

bp = Blueprint("retention", __name__, url_prefix="/retention")
Answer = str | Response | tuple[str, int]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 20_000
MOST_KEPT = 100
"""So many things that are kept stand on the page one by one; the workbook has all."""
KEPT = (Standing.WANTED.value, Standing.HELD.value)


def _page(form: HoldForm | None = None, problem: PortalError | None = None) -> str:
    found = [(things(db(), tenant_id), name) for tenant_id, name in queries.owners(db())]
    lines = [line for mine, name in found for line in queries.lines_of(mine, name)]
    kept = [(one, name) for mine, name in found for one in mine if one.standing in KEPT]
    return render_template(
        "retention/index.html",
        lines=lines,
        kept=kept[:MOST_KEPT],
        kept_in_all=len(kept),
        standings=STANDINGS,
        due={line.tenant_id: line.vendor for line in lines if line.due},
        terms=terms(db()),
        holds=queries.holds(db()),
        deletions=queries.deletions(db()),
        form=form or _form(formdata=None),
        problem=problem,
        may_hold=actor().may(HOLD),
        may_delete=actor().may(DELETE),
        classes=CLASSES,
        subjects=SUBJECTS,
    )


def _form(**arguments: object) -> HoldForm:
    form = HoldForm(**arguments)
    form.vendor.choices = [("", _("Choose …"))] + [
        (str(tenant_id), name)
        for tenant_id, name in queries.owners(db())
        if tenant_id != actor().company_id
    ]
    form.on.choices = [(key, str(name)) for key, name in SUBJECTS.items()]
    return form


@bp.get("")
@guard(SEE)
def index() -> Answer:
    """The dry run: what would be deleted today, what is kept and why; holds; deletions."""
    return _page()


@bp.get("/export")
@guard(SEE)
def export() -> Answer:
    """The dry run thing by thing, as a workbook."""
    columns = (
        ExportColumn(_("Vendor")),
        ExportColumn(_("Class")),
        ExportColumn(_("Number"), width=24),
        ExportColumn(_("Standing")),
        ExportColumn(_("Kept until")),
        ExportColumn(_("Why it is kept"), width=40),
        ExportColumn(_("Bytes"), "integer"),
        ExportColumn(_("SHA-256"), width=40),
    )
    rows = [
        (
            name,
            str(CLASSES[one.data_class.value]),
            one.label,
            str(STANDINGS[one.standing][0]),
            one.expires_on.isoformat(),
            one.why,
            one.size,
            one.sha256 or "",
        )
        for tenant_id, name in queries.owners(db())
        for one in things(db(), tenant_id)
    ][:MOST_ROWS]
    answer = Response(xlsx([ExportSheet(_("Retention"), columns, rows)]), mimetype=XLSX)
    name = f"retention-{clock.today():%Y%m%d}.xlsx"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@bp.post("/holds")
@guard(HOLD)
def hold() -> Answer:
    """Put a legal hold on a case, request or notice."""
    form = _form()
    problem: PortalError | None = None
    if form.validate_on_submit():
        try:
            service.place_hold(
                db(),
                UUID(form.vendor.data),
                HoldOn(form.on.data),
                form.number.data or "",
                reason=form.reason.data or "",
                actor=actor(),
            )
        except (Invalid, Conflict) as error:
            db().rollback()
            problem = error
        else:
            db().commit()
            flash(_("The hold is in force; nothing of it is deleted."), "success")
            return redirect(url_for("retention.index", _anchor="holds"))
    return _page(form, problem), 422


@bp.post("/holds/<uuid:hold_id>/lift")
@guard(HOLD)
def lift(hold_id: UUID) -> Answer:
    """Lift a hold."""
    try:
        service.lift_hold(db(), hold_id, reason=request.form.get("reason", ""), actor=actor())
    except (Invalid, Conflict) as error:
        db().rollback()
        flash(f"{error.message} {error.mend}", "warning")
    else:
        db().commit()
        flash(_("The hold is lifted."), "success")
    return redirect(url_for("retention.index", _anchor="holds"))


@bp.post("/delete/<uuid:tenant_id>")
@guard(DELETE)
def delete(tenant_id: UUID) -> Answer:
    """Delete what is beyond its time, of one vendor or of the company's own, by a job."""
    if tenant_id not in dict(queries.owners(db())):
        raise NotFound("vendor")
    try:
        run = service.start_deletion(db(), tenant_id, actor=actor())
    except Invalid as error:
        db().rollback()
        flash(f"{error.message} {error.mend}", "warning")
        return redirect(url_for("retention.index"))
    db().commit()
    return redirect(url_for("jobs.show", run_id=run, next=url_for("retention.index")))


_VIEWS: tuple[Any, ...] = (export, hold, lift, delete)
for _view in _VIEWS:
    _view.menu = "retention.index"
