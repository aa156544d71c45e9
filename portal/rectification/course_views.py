"""The course of an issued notice: extensions, milestones, reopening, re-check (C2.4)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from portal.deadlines.forms import AskForm, ExtensionForm
from portal.kernel.access import guard
from portal.kernel.errors import NotFound, PortalError
from portal.kernel.phrases import When
from portal.kernel.web import actor, check_version, db
from portal.rectification import (
    decisions,
    extensions,
    milestones,
    queries,
    rechecks,
    repeats,
)
from portal.rectification.forms import (
    MilestoneForm,
    RecheckForm,
    ReopenForm,
    RepetitionForm,
)
from portal.rectification.kinds import Recheck
from portal.rectification.models import Rectification
from portal.rectification.pages import page
from portal.rectification.permissions import ANSWER, MANAGE

bp = Blueprint("rectification_course", __name__, url_prefix="/rectifications")
Answer = str | Response | tuple[str, int]


def _step(
    notice_id: UUID,
    name: str,
    form: FlaskForm | None,
    act: Callable[[Rectification], str],
) -> Answer:
    """Run a step on the locked notice and go back to its place; else the page again with what is
    wrong and all that was typed (UX 4)."""
    notice = queries.get_notice(db(), notice_id, lock=True)
    problem, status = None, 422
    if form is None or form.validate_on_submit():
        try:
            told = act(notice)
        except NotFound:
            raise
        except PortalError as error:
            db().rollback()
            problem, status = error, error.status
        else:
            db().commit()
            flash(told, "success")
            return redirect(url_for("rectification.show", notice_id=notice_id, _anchor=name))
    given = {name: form} if form is not None else {}
    return page(queries.get_notice(db(), notice_id), problem=problem, given=given), status


@bp.post("/<uuid:notice_id>/extensions")
@guard(ANSWER)
def ask(notice_id: UUID) -> Answer:
    """Ask for more time, before the clock runs out."""
    form = AskForm(prefix="ask-")

    def act(notice: Rectification) -> str:
        extensions.ask(
            db(), notice, wanted=form.wanted.data, reason=form.reason.data or "", actor=actor()
        )
        return str(_("The extension is asked for. Until it is decided, the deadline stays."))

    return _step(notice_id, "ask", form, act)


@bp.post("/<uuid:notice_id>/extensions/<uuid:extension_id>")
@guard(MANAGE)
def decide_extension(notice_id: UUID, extension_id: UUID) -> Answer:
    """Grant or refuse an extension."""
    form = ExtensionForm(prefix="extension-")

    def act(notice: Rectification) -> str:
        note = form.note.data or ""
        if request.form.get("decision") != "grant":
            extensions.refuse(db(), notice, extension_id, note=note, actor=actor())
            return str(_("The extension is refused; the vendor is told."))
        made = extensions.grant(
            db(), notice, extension_id, until=form.until.data, note=note, actor=actor()
        )
        due = When(made.new_due_at or made.wanted_at)
        return str(_("The extension is granted: due %(due)s.", due=due))

    return _step(notice_id, "extension", form, act)


@bp.post("/<uuid:notice_id>/milestones")
@guard(ANSWER)
def plan(notice_id: UUID) -> Answer:
    """Plan a step of the correction."""
    form = MilestoneForm(prefix="milestone-")

    def act(notice: Rectification) -> str:
        milestones.add(db(), notice, form.text.data or "", form.planned_on.data, actor=actor())
        return str(_("The step is in the plan; the company sees it too."))

    return _step(notice_id, "milestone", form, act)


@bp.post("/<uuid:notice_id>/milestones/<uuid:milestone_id>/done")
@guard(ANSWER)
def finish(notice_id: UUID, milestone_id: UUID) -> Answer:
    """Mark a planned step as done."""

    def act(notice: Rectification) -> str:
        milestones.finish(db(), notice, milestone_id, actor=actor())
        return str(_("The step is marked as done."))

    return _step(notice_id, "milestone", None, act)


@bp.post("/<uuid:notice_id>/milestones/<uuid:milestone_id>/remove")
@guard(ANSWER)
def remove(notice_id: UUID, milestone_id: UUID) -> Answer:
    """Take a step that is not done out of the plan."""

    def act(notice: Rectification) -> str:
        milestones.remove(db(), notice, milestone_id, actor=actor())
        return str(_("The step is taken out of the plan."))

    return _step(notice_id, "milestone", None, act)


@bp.post("/<uuid:notice_id>/reopen")
@guard(MANAGE)
def reopen(notice_id: UUID) -> Answer:
    """Open an accepted notice again."""
    form = ReopenForm(prefix="reopen-")

    def act(notice: Rectification) -> str:
        check_version(notice, form.version.data)
        decisions.reopen_notice(
            db(), notice, form.reason.data or "", int(form.working_days.data or 0), actor=actor()
        )
        return str(_("The notice is reopened; the vendor has a new clock."))

    return _step(notice_id, "reopen", form, act)


@bp.post("/<uuid:notice_id>/recheck")
@guard(MANAGE)
def recheck(notice_id: UUID) -> Answer:
    """Record the result of the re-check that is due; a follow-up notice is shown as a draft."""
    form = RecheckForm(prefix="recheck-")
    made: list[UUID] = []

    def act(notice: Rectification) -> str:
        check_version(notice, form.version.data)
        draft_id = rechecks.decide(
            db(),
            notice,
            Recheck(form.result.data),
            form.reason.data or "",
            working_days=form.working_days.data or notice.working_days,
            actor=actor(),
        )
        if draft_id is None:
            return str(_("The result of the re-check is recorded; the vendor is told."))
        made.append(draft_id)
        return str(_("The result is recorded. Read the follow-up notice through and issue it."))

    answer = _step(notice_id, "recheck", form, act)
    if made:
        return redirect(url_for("rectification.show", notice_id=made[0]))
    return answer


@bp.post("/<uuid:notice_id>/repetition")
@guard(MANAGE)
def repetition(notice_id: UUID) -> Answer:
    """Take the next grade that a repetition proposes for a draft, or refuse it."""
    form = RepetitionForm(prefix="repetition-")

    def act(notice: Rectification) -> str:
        check_version(notice, form.version.data)
        take = request.form.get("decision") == "take"
        repeats.decide(db(), notice, take=take, reason=form.reason.data or "", actor=actor())
        if take:
            return str(_("The next grade is taken, with its own deadline."))
        return str(_("The next grade is refused; the reason is on record."))

    return _step(notice_id, "repetition", form, act)


for _view in (repetition, ask, decide_extension, plan, finish, remove, reopen, recheck):
    _view.menu = "rectification.index"  # type: ignore[union-attr]
