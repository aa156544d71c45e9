"""Pages of excellent cases: the list of both sides, recommending, deciding (A7)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.excellence import queries, service
from portal.excellence.forms import RecommendForm
from portal.excellence.permissions import DECIDE, RECOMMEND, VIEW
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import PortalError
from portal.kernel.phrases import Phrase, phrase
from portal.kernel.web import actor, check_version, db
from portal.materials.lists import vendors as vendor_choices

bp = Blueprint("excellence", __name__, url_prefix="/excellent-cases")
Answer = str | Response | tuple[str, int]
STATES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        "recommended": (phrase("Recommended"), "pending"),
        "selected": (phrase("Selected"), "success"),
        "declined": (phrase("Not selected"), "neutral"),
    }
)


def _vendor() -> UUID | None:
    try:
        return UUID(request.args.get("vendor", "")) if actor().is_company else None
    except ValueError:
        return None


def _page(problem: PortalError | None = None) -> str:
    state = request.args.get("state", "")
    chosen = {
        "state": state if state in STATES else "",
        "period": request.args.get("period", "")[:7],
        "vendor": str(_vendor() or ""),
    }
    found = queries.list_cases(
        db(),
        vendor_id=_vendor(),
        state=chosen["state"],
        period=chosen["period"],
        cursor=request.args.get("cursor"),
    )
    kept = {key: value for key, value in chosen.items() if value}
    company = actor().is_company
    return render_template(
        "excellence/index.html",
        page=found,
        company=company,
        chosen=kept,
        vendors=vendor_choices(db()) if company else [],
        states=STATES,
        problem=problem,
        may_decide=actor().may(DECIDE),
        may_recommend=actor().may(RECOMMEND),
        link=lambda **more: url_for("excellence.index") + "?" + urlencode({**kept, **more}),
    )


@bp.get("/")
@guard(VIEW)
def index() -> Answer:
    """The recommendations: all for the company, its own for a vendor."""
    return _page()


@bp.get("/new")
@guard(RECOMMEND)
def new() -> Answer:
    """Recommend a case; `?case=` fills its number in."""
    data = {"period": f"{clock.today():%Y-%m}", "case_no": request.args.get("case", "")[:80]}
    form = RecommendForm(formdata=None, data=data)
    return render_template("excellence/new.html", form=form, problem=None)


@bp.post("/new")
@guard(RECOMMEND)
def recommend() -> Answer:
    """Keep the recommendation."""
    form = RecommendForm()
    problem: PortalError | None = None
    if form.validate_on_submit():
        try:
            service.recommend(
                db(),
                case_no=form.case_no.data or "",
                period=form.period.data or "",
                why=form.why.data or "",
                actor=actor(),
            )
        except PortalError as error:
            db().rollback()
            problem = error
        else:
            db().commit()
            flash(_("The case is recommended. The general department decides."), "success")
            return redirect(url_for("excellence.index"))
    status = problem.status if problem else 422
    return render_template("excellence/new.html", form=form, problem=problem), status


@bp.post("/<uuid:excellent_id>/decide")
@guard(DECIDE)
def decide(excellent_id: UUID) -> Answer:
    """Select or decline a recommended case."""
    row = queries.get_case(db(), excellent_id, lock=True)
    select = request.form.get("decision") == "select"
    try:
        check_version(row, request.form.get("version"))
        service.decide(
            db(), row, select=select, note=request.form.get("note", "")[:2_000], actor=actor()
        )
    except PortalError as error:
        db().rollback()
        return _page(error), error.status
    db().commit()
    if select:
        flash(_("The case is selected; its reward goes on the fee statement."), "success")
    else:
        flash(_("The case is not selected; the vendor is told."), "success")
    return redirect(url_for("excellence.index"))


for _view in (new, recommend, decide):
    _view.menu = "excellence.index"  # type: ignore[union-attr]
