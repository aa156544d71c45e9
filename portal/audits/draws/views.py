"""Pages of draws: for the audit department; unannounced, so vendors have none of them (A3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # stubs lag

from portal.audits.draws import export, queries, service
from portal.audits.draws.forms import DrawForm, StepForm
from portal.audits.draws.permissions import MAKE, SEE
from portal.audits.draws.plans import RISK_DAYS, options_of
from portal.audits.draws.rules import Size, shared_out, sized
from portal.audits.models import Draw, DrawState
from portal.cases.in_hand import in_hand_volume
from portal.files.web import EXPORT_ROWS
from portal.files.web import workbook as download
from portal.jobs.queries import RunView, run_of
from portal.jobs.service import error_of
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import PortalError
from portal.kernel.web import actor, check_version, db, is_htmx
from portal.materials.rules import Wanted
from portal.materials.words import KINDS

bp = Blueprint("draws", __name__, url_prefix="/draws")
Answer = str | Response | tuple[str, int]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
STATES = (DrawState.PLANNED, DrawState.FROZEN, DrawState.DRAWN, DrawState.ISSUED)


@bp.get("/")
@guard(SEE)
def index() -> Answer:
    """Draws so far, newest first."""
    period = request.args.get("period", "")[:7]
    page = queries.list_draws(db(), period, request.args.get("at"))
    base = url_for("draws.index")

    def url(cursor: str | None) -> str | None:
        asked = {"period": period, "at": cursor}
        return cursor and f"{base}?{urlencode({k: v for k, v in asked.items() if v})}"

    return render_template(
        "draws/index.html",
        page=page,
        period=period,
        states=_states(),
        may_make=actor().may(MAKE),
        export_url=url_for("draws.list_export", period=period or None),
        next_url=url(page.next),
        previous_url=url(page.previous),
    )


@bp.get("/list.xlsx")
@guard(SEE)
def list_export() -> Answer:
    """The list as it is filtered, as a workbook."""
    page = queries.list_draws(db(), request.args.get("period", "")[:7], size=EXPORT_ROWS)
    names = {state: label for state, (label, _tone, _icon) in _states().items()}
    return download([export.listed(page.items, names)], "draws")


def _states() -> dict[str, tuple[str, str, str]]:
    return {
        DrawState.PLANNED: (_("Planned"), "neutral", "hourglass"),
        DrawState.FROZEN: (_("Population frozen"), "info", "lock"),
        DrawState.DRAWN: (_("Drawn"), "pending", "arrows-shuffle"),
        "issuing": (_("Being issued"), "info", "send"),
        DrawState.ISSUED: (_("Requests issued"), "success", "circle-check"),
    }


@bp.get("/new")
@guard(MAKE)
def new() -> Answer:
    """The form of a new draw, with what a share of one per cent would take."""
    period = f"{clock.today():%Y-%m}"
    choices = service.materials_on(db(), clock.today())
    form = _form(choices)
    form.period.data = period
    form.name.data = _(
        "%(month)s, draw %(number)s", month=period, number=queries.draws_of(db(), period) + 1
    )
    form.rate.data = Decimal(1)
    form.wanted.data = [one.kind for one in choices if one.asked]
    return _new_page(form, Size(rate=Decimal(1)))


def _form(choices: Sequence[service.WantedChoice]) -> DrawForm:
    form = DrawForm()
    form.wanted.choices = [
        SelectChoice(
            one.kind,
            _("%(material)s (must be handed over)", material=KINDS[one.kind])
            if one.required
            else _("%(material)s (if it exists)", material=KINDS[one.kind]),
        )
        for one in choices
    ]
    return form


def _size(form: DrawForm) -> Size:
    """The size that the form asks for; the other of the two fields does not count."""
    if form.by.data == "total":
        return sized(form.total.data, None)
    return sized(None, form.rate.data)


def _preview(size: Size | None, problem: PortalError | None = None) -> dict[str, Any]:
    """In-hand volume of each vendor now, and the quotas that would follow."""
    volumes = in_hand_volume(db())
    given: dict[UUID, int] = {}
    if size is not None:
        try:
            given = shared_out(size, volumes)
        except PortalError as error:
            problem = error
    names = queries.vendor_names(db(), list(volumes))
    whole = sum(volumes.values())
    rows = [
        (names[vendor], volume, Decimal(volume) / whole, given.get(vendor))
        for vendor, volume in sorted(volumes.items(), key=lambda item: (-item[1], item[0]))
    ]
    return {"rows": rows, "population": whole, "drawn": sum(given.values()), "problem": problem}


def _new_page(form: DrawForm, size: Size | None, problem: PortalError | None = None) -> str:
    return render_template("draws/new.html", form=form, preview=_preview(size, problem))


@bp.post("/preview")
@guard(MAKE)
def preview() -> Answer:
    """What the form as filled in would draw; writes nothing."""
    form = _form(service.materials_on(db(), clock.today()))
    size, problem = None, None
    try:
        size = _size(form)
    except PortalError as error:
        problem = error
    if is_htmx():
        return render_template("draws/_preview.html", preview=_preview(size, problem))
    return _new_page(form, size, problem)


@bp.post("/")
@guard(MAKE)
def plan() -> Answer:
    """Plan the draw; a job freezes its population."""
    choices = service.materials_on(db(), clock.today())
    form = _form(choices)
    size, problem = None, None
    try:
        size = _size(form)
        if form.validate_on_submit():
            chosen = set(form.wanted.data or ())
            row = service.plan(
                db(),
                name=form.name.data or "",
                period=form.period.data or "",
                size=size,
                wanted=[Wanted(one.kind, one.required) for one in choices if one.kind in chosen],
                options=form.options(),
                actor=actor(),
            )
            db().commit()
            return redirect(url_for("draws.show", draw_id=row.id))
    except PortalError as error:
        db().rollback()
        problem = error
    return _new_page(form, size, problem), 422


@bp.get("/<uuid:draw_id>")
@guard(SEE)
def show(draw_id: UUID) -> Answer:
    """A draw: where it stands, its record, its vendors."""
    return draw_page(queries.get_draw(db(), draw_id))


def draw_page(row: Draw, problem: PortalError | None = None) -> str:
    """The page of a draw; with `problem`, as an answer to a step that was refused."""
    shares = queries.shares_of(db(), row)
    work = _work(row, shares)
    if work["run"] is not None and work["run"].ended:
        shares = queries.shares_of(db(), row)
    return render_template(
        "draws/show.html",
        draw=row,
        shares=shares,
        problem=problem,
        form=StepForm(formdata=None, version=row.version),
        states=_states(),
        step=STATES.index(DrawState(row.state)),
        options=options_of(row.options),
        risk_days=RISK_DAYS,
        materials=[(KINDS[one["kind"]], one["required"]) for one in row.wanted],
        may_make=actor().may(MAKE),
        **work,
    )


def _work(row: Draw, shares: Sequence[queries.ShareLine]) -> dict[str, Any]:
    """The background work of the draw's present step, if there is any; work that has ended
    meanwhile leaves `row` read again."""
    run: RunView | None = None
    if row.state == DrawState.PLANNED:
        run = run_of(db(), row)
    elif row.state == DrawState.DRAWN and row.issuing_at is not None:
        run = queries.issuing(row, shares)
        if run.ended:
            db().refresh(row)
    freezing = row.state == DrawState.PLANNED
    return {
        "run": run,
        "run_error": error_of(run),
        "run_label": _("Freezing the population") if freezing else _("Issuing the requests"),
        "run_url": url_for("draws.progress", draw_id=row.id),
    }


@bp.get("/<uuid:draw_id>/progress")
@guard(SEE)
def progress(draw_id: UUID) -> Answer:
    """The bar of the work at hand; when it has ended, the page is loaded anew."""
    row = queries.get_draw(db(), draw_id)
    work = _work(row, queries.shares_of(db(), row) if row.issuing_at else ())
    page = url_for("draws.show", draw_id=row.id)
    if not is_htmx():
        return redirect(page)
    if work["run"] is None or work["run"].ended:
        answer = make_response("")
        answer.headers["HX-Redirect"] = page
        return answer
    return render_template("draws/_progress.html", **work)


def _step(draw_id: UUID, state: DrawState | None, act: Callable[[Draw], object]) -> Answer:
    """Take a step from `state`: on what the page showed, or not at all. A step that was taken or
    begun already is shown, not repeated."""
    form = StepForm()
    row = queries.get_draw(db(), draw_id, lock=True)
    try:
        if form.validate_on_submit() and row.state == state and row.issuing_at is None:
            check_version(row, form.version.data)
        act(row)
        db().commit()
    except PortalError as error:
        db().rollback()
        return draw_page(queries.get_draw(db(), draw_id), error), error.status
    return redirect(url_for("draws.show", draw_id=draw_id))


@bp.post("/<uuid:draw_id>/freeze")
@guard(MAKE)
def freeze(draw_id: UUID) -> Answer:
    """Freeze once more, after the job failed."""
    return _step(draw_id, None, lambda row: service.start_freezing(db(), row, actor=actor()))


@bp.post("/<uuid:draw_id>/draw")
@guard(MAKE)
def draw(draw_id: UUID) -> Answer:
    """Make the seed and draw."""
    return _step(
        draw_id, DrawState.FROZEN, lambda row: service.draw_sample(db(), row, actor=actor())
    )


@bp.post("/<uuid:draw_id>/issue")
@guard(MAKE)
def issue(draw_id: UUID) -> Answer:
    """Have the requests issued, or those that failed issued again."""
    return _step(draw_id, DrawState.DRAWN, lambda row: service.issue(db(), row, actor=actor()))


_VIEWS: tuple[Any, ...] = (new, preview, plan, show, progress, freeze, draw, issue)
for _view in _VIEWS:
    _view.menu = "draws.index"
