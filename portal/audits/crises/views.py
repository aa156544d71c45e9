"""The page of a crisis record: the report, the decision, the steps, the end (A5)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.audits.crises import service
from portal.audits.crises.forms import StepForm
from portal.audits.models import CrisisState, Escalation, Finding
from portal.audits.permissions import (
    DECIDE_CRISIS,
    HANDLE_CRISIS,
    SEE_ESCALATIONS,
    SEE_REVIEWS,
    TAKE_NOTE,
)
from portal.audits.reviews import blind
from portal.audits.words import CRISIS_STATES, FINDING_STATES, LEVELS, STEP_KINDS
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import PortalError
from portal.kernel.web import actor, check_version, db
from tenants.models import Tenant

bp = Blueprint("crises", __name__, url_prefix="/reviews/escalations")
Answer = str | Response | tuple[str, int]


@bp.get("/<uuid:escalation_id>")
@guard(SEE_ESCALATIONS)
def show(escalation_id: UUID) -> Answer:
    """The record; closed to who may give a blind opinion of the case."""
    row = service.get_escalation(db(), escalation_id)
    finding = db().get_one(Finding, (row.tenant_id, row.finding_id))
    if (own := blind.closed_to(db(), actor()).get(finding.review_id)) is not None:
        return redirect(url_for("opinions.index", asked=own.opinion_id) + "#asked")
    return _page(row)


def _page(
    escalation: Escalation, step: StepForm | None = None, problem: PortalError | None = None
) -> str:
    person = actor()
    handling = escalation.state == CrisisState.HANDLING
    return render_template(
        "audits/crises/show.html",
        record=escalation,
        finding=db().get(Finding, (escalation.tenant_id, escalation.finding_id)),
        vendor=db().get(Tenant, escalation.tenant_id),
        steps=service.steps_of(db(), escalation),
        step=step or StepForm(formdata=None).prepared(),
        may_decide=person.may(DECIDE_CRISIS) and escalation.state == CrisisState.REPORTED,
        may_note=person.may(TAKE_NOTE) and escalation.seen_at is None,
        may_handle=person.may(HANDLE_CRISIS) and handling,
        may_close=person.may(DECIDE_CRISIS) and handling,
        may_open=person.may(SEE_REVIEWS),
        today=clock.today(),
        states=CRISIS_STATES,
        finding_states=FINDING_STATES,
        levels=LEVELS,
        kinds=STEP_KINDS,
        problem=problem,
    )


def _act(
    escalation_id: UUID,
    verb: Callable[[Escalation], object],
    told: str,
    step: StepForm | None = None,
) -> Answer:
    escalation = service.get_escalation(db(), escalation_id, lock=True)
    try:
        check_version(escalation, request.form.get("version"))
        verb(escalation)
    except PortalError as error:
        db().rollback()
        return _page(service.get_escalation(db(), escalation_id), step, error), error.status
    db().commit()
    flash(told, "success")
    return redirect(url_for("crises.show", escalation_id=escalation_id))


@bp.post("/<uuid:escalation_id>/decision")
@guard(DECIDE_CRISIS)
def decide(escalation_id: UUID) -> Answer:
    """Begin crisis handling, or say that there is none."""
    begin = request.form.get("begin") == "1"
    return _act(
        escalation_id,
        lambda row: service.decide(
            db(),
            row,
            begin=begin,
            reason=request.form.get("reason", ""),
            lead=request.form.get("lead", ""),
            actor=actor(),
        ),
        _("Crisis handling has begun.") if begin else _("It is on record that there is no crisis."),
    )


@bp.post("/<uuid:escalation_id>/steps")
@guard(HANDLE_CRISIS)
def add(escalation_id: UUID) -> Answer:
    """Record a step."""
    form = StepForm().prepared()
    if not form.validate_on_submit():
        return _page(service.get_escalation(db(), escalation_id), form), 422
    return _act(
        escalation_id,
        lambda row: service.add_step(
            db(),
            row,
            kind=form.kind.data,
            text=form.text.data or "",
            owner=form.owner.data or "",
            due_on=form.due_on.data,
            actor=actor(),
        ),
        _("The step is on record."),
        form,
    )


@bp.post("/<uuid:escalation_id>/steps/<uuid:step_id>/done")
@guard(HANDLE_CRISIS)
def finish(escalation_id: UUID, step_id: UUID) -> Answer:
    """Note that a measure is done."""
    return _act(
        escalation_id,
        lambda row: service.finish_step(db(), row, step_id, actor=actor()),
        _("The measure is done."),
    )


@bp.post("/<uuid:escalation_id>/close")
@guard(DECIDE_CRISIS)
def close(escalation_id: UUID) -> Answer:
    """Close the record with its conclusion."""
    return _act(
        escalation_id,
        lambda row: service.close(db(), row, request.form.get("conclusion", ""), actor=actor()),
        _("The record is closed."),
    )


for _view in (show, decide, add, finish, close):
    _view.menu = "reviews.escalations"  # type: ignore[union-attr]
