"""The vendor's side: write the answer, keep it, prove it, submit it (C2.4, UX 4 and 6)."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.files.web import send
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import Conflict, PortalError
from portal.kernel.web import actor, db
from portal.rectification import answers, queries
from portal.rectification.forms import AnswerForm
from portal.rectification.pages import page
from portal.rectification.permissions import ANSWER, VIEW

bp = Blueprint("rectification_answers", __name__, url_prefix="/rectifications")
Answer = str | Response | tuple[str, int]


def _version(form: AnswerForm) -> int:
    text = str(form.version.data or "")
    return int(text) if text.isdigit() else -1


def _refused(notice_id: UUID, form: AnswerForm, error: PortalError) -> tuple[str, int]:
    """The page with what was typed and why it was not taken; the next attempt is on the present
    draft."""
    db().rollback()
    notice = queries.get_notice(db(), notice_id)
    row = answers.answer_of(db(), notice)
    form.version.data = str(row.version if row else 0)
    return page(notice, problem=error, answer_form=form), error.status


@bp.post("/<uuid:notice_id>/answer")
@guard(ANSWER)
def answer(notice_id: UUID) -> Answer:
    """Save the draft with its files, and submit it when asked. The text is kept whatever is wrong
    with a file or missing for submission."""
    notice = queries.get_notice(db(), notice_id, lock=True)
    form = AnswerForm()
    if not form.validate_on_submit():
        return page(notice, answer_form=form), 422
    try:
        row = answers.save_answer(
            db(), notice, form.text(), seen_version=_version(form), actor=actor()
        )
        refused: list[PortalError] = []
        for file in request.files.getlist("evidence"):
            if not file.filename:
                continue
            try:
                answers.add_evidence(db(), row, file.filename, file.stream, actor=actor())
            except PortalError as error:
                refused.append(error)
        db().commit()
    except PortalError as error:
        return _refused(notice_id, form, error)
    form.version.data = str(row.version)
    if refused:
        return page(queries.get_notice(db(), notice_id), answer_form=form, refused=refused), 422
    if request.form.get("act") != "submit":
        flash(_("The draft is saved. It is not submitted yet."), "success")
        return redirect(url_for("rectification.show", notice_id=notice_id, _anchor="answer"))
    return _submit(notice_id, form)


def _submit(notice_id: UUID, form: AnswerForm) -> Answer:
    try:
        notice = queries.get_notice(db(), notice_id, lock=True)
        done = answers.submit_answer(db(), notice, actor=actor())
    except PortalError as error:
        return _refused(notice_id, form, error)
    in_time = done.in_time
    db().commit()
    at = f"{clock.beijing(clock.now()):%Y-%m-%d %H:%M:%S}"
    if in_time:
        flash(_("Submitted at %(at)s, in time.", at=at), "success")
    else:
        flash(_("Submitted at %(at)s, after the deadline: recorded as late.", at=at), "warning")
    return redirect(url_for("rectification.show", notice_id=notice_id))


@bp.post("/<uuid:notice_id>/answer/keep")
@guard(ANSWER)
def autosave(notice_id: UUID) -> Answer:
    """Keep what is being typed (UX 4); answers with a line for the page, and the new version."""
    notice = queries.get_notice(db(), notice_id, lock=True)
    form = AnswerForm()
    problem: PortalError | None = None
    version = _version(form)
    if form.validate_on_submit():
        try:
            version = answers.save_answer(
                db(), notice, form.text(), seen_version=version, actor=actor()
            ).version
            db().commit()
        except PortalError as error:
            db().rollback()
            problem = error
    else:
        problem = Conflict(_("The draft could not be saved by itself."), _("Press Save draft."))
    return render_template(
        "rectification/_kept.html", problem=problem, version=version, at=clock.now()
    )


@bp.post("/<uuid:notice_id>/evidence/<uuid:evidence_id>/remove")
@guard(ANSWER)
def remove(notice_id: UUID, evidence_id: UUID) -> Answer:
    """Take a file away from the draft."""
    notice = queries.get_notice(db(), notice_id, lock=True)
    answers.remove_evidence(db(), notice, evidence_id)
    db().commit()
    flash(_("The file is taken away."), "success")
    return redirect(url_for("rectification.show", notice_id=notice_id, _anchor="answer"))


@bp.get("/<uuid:notice_id>/evidence/<uuid:evidence_id>")
@guard(VIEW)
def evidence(notice_id: UUID, evidence_id: UUID) -> Answer:
    """Download a file; the company sees those of submitted answers only."""
    notice = queries.get_notice(db(), notice_id)
    file = queries.evidence_file(db(), notice, evidence_id, drafts=not actor().is_company)
    return send(file)


for _view in (answer, autosave, remove, evidence):
    _view.menu = "rectification.index"  # type: ignore[union-attr]
