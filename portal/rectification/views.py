"""Pages of rectification notices for the company: list, drafts, issue, decisions (C2.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.audits.assessments.queries import get_form, list_forms
from portal.audits.words import LEVELS
from portal.kernel.access import guard
from portal.kernel.errors import NotFound, PortalError
from portal.kernel.web import actor, check_version, db
from portal.materials.lists import vendors as vendor_choices
from portal.notices import service as notices
from portal.notices.queries import get_document
from portal.rectification import decisions, queries, service
from portal.rectification.forms import NoticeForm, ReturnForm
from portal.rectification.kinds import RectificationState as State
from portal.rectification.models import Rectification
from portal.rectification.pages import clock_for, page
from portal.rectification.permissions import MANAGE, SEE_OPINIONS, VIEW
from portal.rectification.words import CONSEQUENCE, SOURCE_NAMES, STATES
from tenants.rows import new_id

bp = Blueprint("rectification", __name__, url_prefix="/rectifications")
Answer = str | Response | tuple[str, int]


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


@bp.get("/")
@guard(VIEW)
def index() -> Answer:
    """The notices: all for the company, those issued to it for a vendor."""
    company = actor().is_company
    args = request.args
    state = args.get("state", "")
    kept = {
        "state": state if state in STATES and (company or state != State.DRAFT) else "",
        "level": args.get("level", "") if args.get("level") in LEVELS else "",
        "vendor": str(_uuid(args.get("vendor")) or "") if company else "",
    }
    found = queries.list_notices(
        db(),
        vendor_id=_uuid(kept["vendor"]),
        state=kept["state"],
        level=kept["level"],
        cursor=args.get("cursor"),
    )
    kept = {key: value for key, value in kept.items() if value}
    return render_template(
        "rectification/index.html",
        page=found,
        clocks={row.id: clock_for(db(), row.clock) for row in found.items},
        company=company,
        chosen=kept,
        vendors=vendor_choices(db()) if company else [],
        states=STATES,
        levels=LEVELS,
        sources=SOURCE_NAMES,
        may_manage=actor().may(MANAGE),
        may_see_opinions=actor().may(SEE_OPINIONS),
        link=lambda **more: url_for("rectification.index") + "?" + urlencode({**kept, **more}),
    )


@bp.get("/<uuid:notice_id>")
@guard(VIEW)
def show(notice_id: UUID) -> Answer:
    """One notice: its clock first, facts, demands, the rounds. A vendor's opening is recorded."""
    notice = queries.get_notice(db(), notice_id)
    if notice.document_id and not actor().is_company:
        notices.opened(db(), get_document(db(), notice.document_id), actor=actor())
        db().commit()
    return page(notice)


# --- drafts --------------------------------------------------------------------------------------


def _prepared(form: NoticeForm) -> NoticeForm:
    form.vendor.choices = [(str(key), name) for key, name in vendor_choices(db())]
    form.source.choices = [(key, str(name)) for key, name in SOURCE_NAMES.items()]
    form.level.choices = [(key, str(entry[0])) for key, entry in LEVELS.items()]
    return form


def _edit_page(
    form: NoticeForm, notice: Rectification | None = None, problem: PortalError | None = None
) -> str:
    return render_template(
        "rectification/edit.html",
        form=form,
        notice=notice,
        problem=problem,
        outcomes=service.outcomes(db()),
        forms=() if notice else list_forms(db(), state="issued").items,
        levels=LEVELS,
    )


@bp.get("/new")
@guard(MANAGE)
def new() -> Answer:
    """An empty notice, one proposed from an issued assessment form (`?form=`), or one from another
    source (`?source=`, `vendor`, `reference`)."""
    data: dict[str, Any] = {"draft_id": str(new_id()), "consequence": CONSEQUENCE}
    if request.args.get("source") in SOURCE_NAMES:
        data |= {
            "source": request.args["source"],
            "vendor": request.args.get("vendor", ""),
            "source_reference": request.args.get("reference", "")[:120],
        }
    form_id = _uuid(request.args.get("form"))
    if form_id is not None:
        source = get_form(db(), form_id)
        text = service.text_from_form(db(), source, CONSEQUENCE)
        data |= {
            "form_id": str(source.id),
            "vendor": str(source.tenant_id),
            "demands": "\n".join(text.demands),
            "source": text.source,
            "source_reference": text.source_reference,
            "level": text.level,
            "title": text.title,
            "facts": text.facts,
            "grounds": text.grounds,
        }
    return _edit_page(_prepared(NoticeForm(formdata=None, data=data)))


@bp.post("/new")
@guard(MANAGE)
def create() -> Answer:
    """Keep a new draft; the same page sent twice makes one."""
    form = _prepared(NoticeForm())
    draft_id = form.draft_uuid()
    if not form.validate_on_submit() or draft_id is None:
        return _edit_page(form), 422
    try:
        notice = service.write_draft(
            db(),
            draft_id=draft_id,
            tenant_id=UUID(form.vendor.data),
            form_id=_uuid(form.form_id.data),
            text=form.text(),
            actor=actor(),
        )
    except NotFound:
        raise
    except PortalError as error:
        db().rollback()
        return _edit_page(_prepared(form), problem=error), error.status
    db().commit()
    flash(_("The draft is saved. The vendor sees nothing of it until it is issued."), "success")
    return redirect(url_for("rectification.show", notice_id=notice.id))


def _draft(notice_id: UUID, *, lock: bool) -> Rectification:
    return queries.get_notice(db(), notice_id, lock=lock)


@bp.get("/<uuid:notice_id>/edit")
@guard(MANAGE)
def edit(notice_id: UUID) -> Answer:
    """A draft's form. What is issued is shown, not edited."""
    notice = _draft(notice_id, lock=False)
    if notice.state != State.DRAFT:
        flash(_("An issued notice is not changed any more."), "warning")
        return redirect(url_for("rectification.show", notice_id=notice.id))
    text = service.text_of(db(), notice)
    data = {
        "version": notice.version,
        "vendor": str(notice.tenant_id),
        "source": text.source,
        "source_reference": text.source_reference,
        "level": text.level,
        "working_days": text.working_days,
        "title": text.title,
        "facts": text.facts,
        "grounds": text.grounds,
        "demands": "\n".join(text.demands),
        "consequence": text.consequence,
    }
    return _edit_page(_prepared(NoticeForm(formdata=None, data=data)), notice)


@bp.post("/<uuid:notice_id>/edit")
@guard(MANAGE)
def save(notice_id: UUID) -> Answer:
    """Save a draft's changes."""
    notice = _draft(notice_id, lock=True)
    form = _prepared(NoticeForm())
    form.vendor.data = str(notice.tenant_id)
    if not form.validate_on_submit():
        return _edit_page(form, notice), 422
    try:
        check_version(notice, form.version.data)
        service.edit_draft(db(), notice, form.text(), actor=actor())
    except PortalError as error:
        db().rollback()
        notice = _draft(notice_id, lock=False)
        form.version.data = str(notice.version)
        return _edit_page(_prepared(form), notice, error), error.status
    db().commit()
    flash(_("The draft is saved. The vendor sees nothing of it until it is issued."), "success")
    return redirect(url_for("rectification.show", notice_id=notice.id))


# --- acts ----------------------------------------------------------------------------------------


def _act(
    notice_id: UUID,
    verb: Callable[[Rectification], object],
    told: str,
    return_form: ReturnForm | None = None,
) -> Answer:
    """Carry an act out on the state that the page showed, or show the present one and why not."""
    notice = queries.get_notice(db(), notice_id, lock=True)
    try:
        check_version(notice, request.form.get("version"))
        verb(notice)
    except PortalError as error:
        db().rollback()
        return page(
            queries.get_notice(db(), notice_id), problem=error, return_form=return_form
        ), error.status
    db().commit()
    flash(told, "success")
    return redirect(url_for("rectification.show", notice_id=notice_id))


@bp.post("/<uuid:notice_id>/issue")
@guard(MANAGE)
def issue(notice_id: UUID) -> Answer:
    """Issue a draft."""
    return _act(
        notice_id,
        lambda notice: service.issue_notice(db(), notice, actor=actor()),
        _("The notice is issued; the vendor's clock runs."),
    )


@bp.post("/<uuid:notice_id>/cancel")
@guard(MANAGE)
def cancel(notice_id: UUID) -> Answer:
    """Cancel a notice with a reason."""
    reason = request.form.get("reason", "")[:2_000]
    return _act(
        notice_id,
        lambda notice: service.cancel_notice(db(), notice, reason, actor=actor()),
        _("The notice is cancelled."),
    )


@bp.post("/<uuid:notice_id>/accept")
@guard(MANAGE)
def accept(notice_id: UUID) -> Answer:
    """Accept the answer."""
    note = request.form.get("note", "")[:2_000]
    return _act(
        notice_id,
        lambda notice: decisions.accept_answer(db(), notice, note, actor=actor()),
        _("The answer is accepted and the notice closed."),
    )


@bp.post("/<uuid:notice_id>/return")
@guard(MANAGE)
def give_back(notice_id: UUID) -> Answer:
    """Return the answer with a reason and a new date."""
    notice = queries.get_notice(db(), notice_id)
    form = ReturnForm()
    if not form.validate_on_submit():
        return page(notice, return_form=form), 422
    return _act(
        notice_id,
        lambda notice: decisions.return_answer(
            db(),
            notice,
            form.reason.data or "",
            int(form.working_days.data or 0),
            actor=actor(),
        ),
        _("The answer is returned; the vendor has a new clock."),
        form,
    )


for _view in (show, new, create, edit, save, issue, cancel, accept, give_back):
    _view.menu = "rectification.index"  # type: ignore[union-attr]
