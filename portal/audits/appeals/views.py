"""Pages of appeals: raising one, the lists, one with its evidence, the decision."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from portal.audits.appeals import queries, service
from portal.audits.appeals.forms import AppealForm, DecisionForm
from portal.audits.appeals.models import Appeal
from portal.audits.appeals.rules import AppealState, Point
from portal.audits.appeals.words import APPEAL_STATES, CHANGED, INSTANCES, POINTS, shown
from portal.audits.assessments.queries import finding_rows, get_form
from portal.audits.models import AssessmentForm, Finding
from portal.audits.permissions import APPEAL, DECIDE_APPEAL, SEE_APPEALS, SEE_REVIEWS
from portal.audits.words import LEVELS
from portal.calendar.service import load as load_calendar
from portal.deadlines.queries import clock_of, clock_view
from portal.files.evidence import accept_types
from portal.files.web import send
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import Conflict, NotFound, PortalError
from portal.kernel.web import actor, check_version, db
from portal.materials.lists import vendors as vendor_choices
from portal.notices.queries import documents_of
from portal.vendors.penalties import catalogue_on
from tenants.models import Tenant

bp = Blueprint("appeals", __name__)
Answer = str | Response | tuple[str, int]


@bp.get("/appeals")
@guard(SEE_APPEALS)
def index() -> Answer:
    """The appeals: all for the company, its own for a vendor."""
    company = actor().is_company
    state = request.args.get("state", "")
    state = state if state in APPEAL_STATES else ""
    vendor_id = _uuid(request.args.get("vendor", "")) if company else None
    kept = {key: value for key, value in (("state", state), ("vendor", vendor_id)) if value}
    return render_template(
        "audits/appeals/index.html",
        page=queries.list_appeals(
            db(), vendor_id=vendor_id, state=state, cursor=request.args.get("cursor")
        ),
        company=company,
        state=state,
        states=APPEAL_STATES,
        instances=INSTANCES,
        levels=LEVELS,
        vendor_id=vendor_id,
        vendors=vendor_choices(db()) if company else [],
        link=lambda **more: url_for("appeals.index") + "?" + urlencode({**kept, **more}),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# --- raising -------------------------------------------------------------------------------------


def _disputed(form_id: UUID, finding_id: UUID) -> tuple[AssessmentForm, Finding]:
    form = get_form(db(), form_id)
    return form, service.get_issued_finding(db(), form, finding_id)


def _raise_page(
    form: AssessmentForm, finding: Finding, sent: AppealForm, problem: PortalError | None = None
) -> str:
    appeals = queries.of_findings(db(), form.tenant_id, [finding.id]).get(finding.id, [])
    row = next(row for row in finding_rows(db(), form) if row.finding.id == finding.id)
    until = queries.window_until(db(), form, load_calendar(db()), appeals)
    return render_template(
        "audits/appeals/new.html",
        form=form,
        row=row,
        sent=sent,
        problem=problem,
        appeals=appeals,
        until=until,
        levels=LEVELS,
        states=APPEAL_STATES,
        instances=INSTANCES,
        accept_types=accept_types(),
        may_raise=service.may_raise(db(), form, appeals),
    )


@bp.get("/assessments/<uuid:form_id>/findings/<uuid:finding_id>/appeal")
@guard(APPEAL)
def new(form_id: UUID, finding_id: UUID) -> Answer:
    """The finding, its window, and the form of an appeal."""
    form, finding = _disputed(form_id, finding_id)
    return _raise_page(form, finding, AppealForm(formdata=None))


@bp.post("/assessments/<uuid:form_id>/findings/<uuid:finding_id>/appeal")
@guard(APPEAL)
def create(form_id: UUID, finding_id: UUID) -> Answer:
    """Raise the appeal with its evidence."""
    form, finding = _disputed(form_id, finding_id)
    sent = AppealForm()
    if not sent.validate_on_submit():
        return _raise_page(form, finding, sent), 422
    files = [
        (file.filename, file.stream) for file in request.files.getlist("evidence") if file.filename
    ]
    try:
        row = service.raise_appeal(
            db(),
            finding,
            sent.reason.data or "",
            files,
            points=sent.points.data or (),
            actor=actor(),
        )
        db().commit()
    except (PortalError, IntegrityError) as error:
        db().rollback()
        problem = error if isinstance(error, PortalError) else _twice()
        form, finding = _disputed(form_id, finding_id)
        return _raise_page(form, finding, sent, problem), problem.status
    flash(_("The appeal is raised. You get a message when it is decided."), "success")
    return redirect(url_for("appeals.show", appeal_id=row.id))


def _twice() -> PortalError:
    return Conflict(
        _("This finding is appealed already; the appeal is not decided yet."),
        _("Wait for the decision."),
    )


# --- one appeal ----------------------------------------------------------------------------------


@bp.get("/appeals/<uuid:appeal_id>")
@guard(SEE_APPEALS)
def show(appeal_id: UUID) -> Answer:
    """One appeal: its clock, reason and evidence, the finding, the decision and what it changed."""
    return _page(queries.get_appeal(db(), appeal_id))


def _page(
    appeal: Appeal, sent: DecisionForm | None = None, problem: PortalError | None = None
) -> str:
    form = get_form(db(), appeal.form_id)
    rows = finding_rows(db(), form)
    row = next(row for row in rows if row.finding.id == appeal.finding_id)
    person = actor()
    is_open = appeal.state == AppealState.OPEN
    may_decide = is_open and person.may(service.decider_of(appeal))
    return render_template(
        "audits/appeals/show.html",
        appeal=appeal,
        form=form,
        row=row,
        vendor=db().get(Tenant, appeal.tenant_id),
        evidence=queries.evidence_of(db(), appeal),
        clock=_clock(appeal) if person.is_company else None,
        other=_other(appeal),
        corrections=_changes(appeal),
        clause=_clause(appeal, row.finding),
        papers=documents_of(db(), form.id),
        may_decide=may_decide,
        involved=may_decide and _is_involved(appeal, row.finding),
        may_open=person.may(SEE_REVIEWS),
        may_raise=person.may(APPEAL) and service.may_raise(db(), form, _all(appeal)),
        may_refer=may_decide and service.decider_of(appeal) is DECIDE_APPEAL,
        sent=_decision_form(row.finding, sent, appeal.version) if may_decide else None,
        disputed=[POINTS[Point(one)] for one in appeal.disputed],
        problem=problem,
        company=person.is_company,
        levels=LEVELS,
        states=APPEAL_STATES,
        instances=INSTANCES,
    )


def _decision_form(finding: Finding, sent: DecisionForm | None, version: int) -> DecisionForm:
    """The decision's form with the clauses of the finding's day."""
    form = sent or DecisionForm(formdata=None, data={"version": version, **_stands(finding)})
    clauses = catalogue_on(db(), finding.occurred_on).catalogue.clauses.values()
    form.set_choices([(clause.no, f"{clause.no} {clause.text}") for clause in clauses])
    return form


def _stands(finding: Finding) -> dict[str, Any]:
    """What a decision in part begins with."""
    return {"clause_no": finding.clause_no, "times": finding.times, "facts": finding.facts}


def _all(appeal: Appeal) -> list[Appeal]:
    found = queries.of_findings(db(), appeal.tenant_id, [appeal.finding_id])
    return found.get(appeal.finding_id, [])


def _other(appeal: Appeal) -> Appeal | None:
    """The appeal of the same finding at the other instance."""
    return next((row for row in _all(appeal) if row.id != appeal.id), None)


def _is_involved(appeal: Appeal, finding: Finding) -> bool:
    return actor().account_id in queries.involved(db(), finding, _all(appeal))


def _clock(appeal: Appeal) -> Any:
    row = clock_of(db(), appeal.tenant_id, appeal.id, queries.CLOCKS[appeal.instance])
    return clock_view(row, load_calendar(db()), clock.now()) if row else None


def _clause(appeal: Appeal, finding: Finding) -> str:
    """The clause that was appealed: a decision may have put another in its place."""
    for row, corrected in queries.corrections_of(db(), appeal):
        if corrected.id == finding.id and "clause_no" in row.before:
            return str(row.before["clause_no"])
    return finding.clause_no


def _changes(appeal: Appeal) -> list[dict[str, Any]]:
    """What an upheld appeal changed, in words."""
    return [
        {
            "case_no": finding.case_no,
            "clause_no": finding.clause_no,
            "changes": [
                (CHANGED[name], shown(name, row.before[name]), shown(name, value))
                for name in CHANGED
                if name in row.after and row.before[name] != (value := row.after[name])
            ],
        }
        for row, finding in queries.corrections_of(db(), appeal)
    ]


@bp.post("/appeals/<uuid:appeal_id>/decision")
@guard(SEE_APPEALS)
def decide(appeal_id: UUID) -> Answer:
    """Uphold or reject, with the reason; what it takes depends on the instance."""
    appeal = queries.get_appeal(db(), appeal_id, lock=actor().is_company)
    if not actor().may(service.decider_of(appeal)):
        raise NotFound("appeal to decide")
    finding = db().get_one(Finding, (appeal.tenant_id, appeal.finding_id))
    sent = _decision_form(finding, DecisionForm(), appeal.version)
    if not sent.validate_on_submit():
        return _page(appeal, sent), 422
    try:
        check_version(appeal, sent.version.data)
        service.decide(
            db(),
            appeal,
            uphold=sent.outcome.data == "uphold",
            reason=sent.reason.data or "",
            relief=sent.relief(finding.clause_no, finding.times, finding.facts)
            if sent.outcome.data == "partly"
            else None,
            actor=actor(),
        )
    except PortalError as error:
        db().rollback()
        appeal = queries.get_appeal(db(), appeal_id)
        sent.version.data = str(appeal.version)
        return _page(appeal, sent, error), error.status
    db().commit()
    flash(_DECIDED[sent.outcome.data], "success")
    return redirect(url_for("appeals.show", appeal_id=appeal_id))


_DECIDED = {
    "uphold": _l("The appeal is upheld; what followed from the finding is put right."),
    "partly": _l("The appeal is upheld in part; what followed from the finding is put right."),
    "reject": _l("The appeal is rejected; the finding stands."),
}


@bp.post("/appeals/<uuid:appeal_id>/referral")
@guard(DECIDE_APPEAL)
def refer(appeal_id: UUID) -> Answer:
    """Hand the appeal to the general department."""
    appeal = queries.get_appeal(db(), appeal_id, lock=True)
    try:
        check_version(appeal, request.form.get("version"))
        service.refer(db(), appeal, actor=actor())
    except PortalError as error:
        db().rollback()
        return _page(queries.get_appeal(db(), appeal_id), problem=error), error.status
    db().commit()
    flash(_("The general department decides this appeal now."), "success")
    return redirect(url_for("appeals.show", appeal_id=appeal_id))


@bp.get("/appeals/<uuid:appeal_id>/evidence/<uuid:evidence_id>")
@guard(SEE_APPEALS)
def evidence(appeal_id: UUID, evidence_id: UUID) -> Answer:
    """Download a file that supports an appeal."""
    appeal = queries.get_appeal(db(), appeal_id)
    return send(queries.evidence_file(db(), appeal, evidence_id))


for _view in (show, new, create, decide, refer, evidence):
    _view.menu = "appeals.index"  # type: ignore[union-attr]
