"""Pages of the review desk: the queue, a case under review, the escalations."""

from __future__ import annotations

import math
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.audits.findings import service as findings
from portal.audits.findings.forms import MarkForm, NotesForm
from portal.audits.findings.queries import get_finding
from portal.audits.findings.text import RepetitionUndecided
from portal.audits.models import Finding, Review
from portal.audits.permissions import REVIEW, SEE_ESCALATIONS, SEE_REVIEWS, TAKE_NOTE
from portal.audits.queries import escalations as list_escalations
from portal.audits.reviews import blind, page, queries, service
from portal.audits.reviews.export import listed
from portal.audits.reviews.queries import QueueFilter
from portal.audits.words import CRISIS_STATES, DECISIONS, FINDING_STATES, LEVELS, STAGES
from portal.files.web import EXPORT_ROWS, workbook
from portal.kernel.access import guard
from portal.kernel.errors import NotFound, PortalError
from portal.kernel.web import actor, check_version, db
from portal.materials.words import ITEM_STATES, KINDS, REASONS

bp = Blueprint("reviews", __name__, url_prefix="/reviews")
Answer = str | Response | tuple[str, int]
STATES = ("open", *queries.STAGES, "pass", "fail")


def parse_uuid(text: str) -> UUID | None:
    """The id that the text is, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def uuid_arg(name: str) -> UUID | None:
    """An id of the address, or None when it is none."""
    return parse_uuid(request.args.get(name, ""))


@bp.get("/")
@guard(SEE_REVIEWS)
def index() -> Answer:
    """The queue of drawn cases by vendor, request and verdict."""
    wanted, closed = _wanted(), blind.closed_to(db(), actor())
    kept = {
        "vendor": wanted.vendor_id,
        "request": wanted.request_id,
        "state": wanted.state,
    }
    kept = {name: value for name, value in kept.items() if value}
    return render_template(
        "audits/reviews/index.html",
        rows=queries.queue(db(), wanted, request.args.get("cursor"), closed=closed),
        stages=STAGES,
        may_review=actor().may(REVIEW),
        wanted=wanted,
        vendors=queries.vendors(db()),
        requests=queries.progress(db(), closed=closed),
        progress=queries.progress(db(), request_id=wanted.request_id, closed=closed)
        if wanted.request_id
        else [],
        link=lambda **more: url_for("reviews.index") + "?" + urlencode({**kept, **more}),
        export_url=url_for("reviews.list_export") + "?" + urlencode(kept),
    )


def _wanted() -> QueueFilter:
    """What the queue is narrowed to."""
    state = request.args.get("state", "")
    return QueueFilter(uuid_arg("vendor"), uuid_arg("request"), state if state in STATES else "")


@bp.get("/list.xlsx")
@guard(SEE_REVIEWS)
def list_export() -> Answer:
    """The queue as it is filtered, as a workbook."""
    closed = blind.closed_to(db(), actor())
    rows = queries.queue(db(), _wanted(), size=EXPORT_ROWS, closed=closed)
    return workbook([listed(rows.items)], "reviews")


def show_page(
    review: Review,
    sent: page.Fields | None = None,
    *,
    editing: Finding | None = None,
    problem: PortalError | None = None,
) -> Answer:
    """The page of a review; with `problem`, as an answer to a form that was refused."""
    closed = blind.closed_to(db(), actor())
    if (own := closed.get(review.id)) is not None:
        if own.taken:
            return redirect(url_for("opinions.show", opinion_id=own.opinion_id))
        return redirect(url_for("opinions.index", asked=own.opinion_id) + "#asked")
    asked = request.values.get("recording", request.form.get("delivery_id", ""))
    context = page.context(
        db(), review, sent or page.Fields(), parse_uuid(asked), actor().account_id, closed
    )
    at_rest = context["turn"] != "facts"
    may = actor().may(REVIEW) and review.state == "open" and at_rest
    if context["finding_form"] is None and may:
        form = page.finding_form(db(), review, context["materials"], editing)
        page.prefill(form, review, request.args.get("mark", ""))
        context["finding_form"] = form
    html = render_template(
        "audits/reviews/show.html",
        **context,
        editing=editing,
        problem=problem,
        proposal=problem if isinstance(problem, RepetitionUndecided) else None,
        may_review=actor().may(REVIEW),
        may_change=may,
        stages=STAGES,
        levels=LEVELS,
        finding_states=FINDING_STATES,
        decision_names=DECISIONS,
        material_kinds=KINDS,
        material_states=ITEM_STATES,
        material_reasons=REASONS,
    )
    if problem is not None:
        return html, problem.status
    return html if request.method == "GET" else (html, 422)


@bp.get("/<uuid:review_id>")
@guard(SEE_REVIEWS)
def show(review_id: UUID) -> Answer:
    """One case: facts, materials, calls, player, marks, notes, findings, course, verdict. Closed to
    who is giving a blind opinion of it."""
    review = queries.get_review(db(), review_id)
    editing = None
    if finding_id := uuid_arg("finding"):
        editing = _finding(review, finding_id)
        editing = editing if editing.state == "draft" else None
    return show_page(review, editing=editing)


def _finding(review: Review, finding_id: UUID, *, lock: bool = False) -> Finding:
    finding = get_finding(db(), finding_id, lock=lock)
    if finding.review_id != review.id:
        raise NotFound("finding of the review")
    return finding


def _back(review: Review, anchor: str = "") -> Response:
    db().commit()
    return redirect(url_for("reviews.show", review_id=review.id) + anchor)


@bp.post("/<uuid:review_id>/notes")
@guard(REVIEW)
def notes(review_id: UUID) -> Answer:
    """Keep the private notes."""
    review = page.locked(db(), review_id)
    form = NotesForm()
    try:
        if not form.validate_on_submit():
            return show_page(review, page.Fields(notes=form))
        check_version(review, form.version.data)
        service.save_notes(db(), review, form.notes.data or "", actor=actor())
    except PortalError as error:
        form.version.data = str(review.version)
        return show_page(review, page.Fields(notes=form), problem=error)
    flash(_("Notes saved."), "success")
    return _back(review, "#notes")


@bp.post("/<uuid:review_id>/marks")
@guard(REVIEW)
def mark(review_id: UUID) -> Answer:
    """Keep a mark in a recording."""
    review = page.locked(db(), review_id)
    form = MarkForm()
    known = {str(row.id): row.id for row in page.recordings(queries.materials_of(db(), review))}
    if not form.validate_on_submit() or form.delivery_id.data not in known:
        return show_page(review, page.Fields(mark=form))
    try:
        service.add_mark(
            db(),
            review,
            service.Mark(
                known[form.delivery_id.data],
                math.floor(form.start.data or 0),
                math.ceil(form.end.data or 0),
                form.severity.data,
                form.text.data or "",
            ),
            actor=actor(),
        )
    except PortalError as error:
        return show_page(review, page.Fields(mark=form), problem=error)
    db().commit()
    return redirect(
        url_for("reviews.show", review_id=review.id, recording=form.delivery_id.data) + "#player"
    )


@bp.post("/<uuid:review_id>/marks/<mark_id>/remove")
@guard(REVIEW)
def unmark(review_id: UUID, mark_id: str) -> Answer:
    """Take a mark away."""
    review = page.locked(db(), review_id)
    service.remove_mark(db(), review, mark_id, actor=actor())
    return _back(review)


@bp.post("/<uuid:review_id>/findings")
@bp.post("/<uuid:review_id>/findings/<uuid:finding_id>")
@guard(REVIEW)
def write(review_id: UUID, finding_id: UUID | None = None) -> Answer:
    """Write a finding, or change a draft."""
    review = page.locked(db(), review_id)
    finding = _finding(review, finding_id, lock=True) if finding_id else None
    form = page.finding_form(db(), review, queries.materials_of(db(), review), posted=True)
    sent = page.Fields(finding=form)
    if not form.validate_on_submit():
        return show_page(review, sent, editing=finding)
    try:
        if finding is not None:
            check_version(finding, form.version.data)
        findings.save_finding(db(), review, page.finding_text(form), finding=finding, actor=actor())
    except PortalError as error:
        db().rollback()
        review = queries.get_review(db(), review_id)
        if finding_id is not None:
            finding = _finding(review, finding_id)
            form.version.data = str(finding.version)
        return show_page(review, sent, editing=finding, problem=error)
    flash(_("Finding saved as a draft."), "success")
    return _back(review, "#findings")


@bp.post("/<uuid:review_id>/findings/<uuid:finding_id>/<any(confirm, remove, withdraw):verb>")
@guard(REVIEW)
def decide(review_id: UUID, finding_id: UUID, verb: str) -> Answer:
    """Confirm a finding, remove a draft, or withdraw a confirmed one."""
    review = page.locked(db(), review_id)
    finding = _finding(review, finding_id, lock=True)
    try:
        check_version(finding, request.form.get("version"))
        if verb == "confirm":
            findings.confirm_finding(db(), finding, actor=actor())
            flash(_("Finding confirmed; the clock of its form is running."), "success")
        elif verb == "remove":
            findings.remove_finding(db(), review, finding, actor=actor())
            flash(_("Draft removed."), "success")
        else:
            reason = request.form.get("reason", "")[:500]
            findings.withdraw_finding(db(), review, finding, reason, actor=actor())
            flash(_("Finding withdrawn."), "success")
    except PortalError as error:
        db().rollback()
        return show_page(queries.get_review(db(), review_id), problem=error)
    return _back(review, "#findings")


@bp.get("/escalations")
@guard(SEE_ESCALATIONS)
def escalations() -> Answer:
    """What went at once to the general manager's office (A5)."""
    return render_template(
        "audits/reviews/escalations.html",
        rows=list_escalations(
            db(), request.args.get("cursor"), but=tuple(blind.closed_to(db(), actor()))
        ),
        may_note=actor().may(TAKE_NOTE),
        may_open=actor().may(SEE_REVIEWS),
        levels=LEVELS,
        states=CRISIS_STATES,
    )


@bp.post("/escalations/<uuid:escalation_id>/seen")
@guard(TAKE_NOTE)
def seen(escalation_id: UUID) -> Answer:
    """Note that the report was seen."""
    service.note_escalation(db(), escalation_id, actor=actor())
    db().commit()
    return redirect(url_for("reviews.escalations"))


show.menu = "reviews.index"  # type: ignore[attr-defined]
