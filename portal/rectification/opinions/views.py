"""Pages of rectification opinions (A10), for the company alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.audits.assessments.queries import get_form
from portal.audits.words import LEVELS
from portal.kernel.access import guard
from portal.kernel.errors import PortalError
from portal.kernel.web import actor, check_version, db
from portal.materials.lists import vendors as vendor_choices
from portal.rectification.forms import OpinionForm
from portal.rectification.models import Opinion
from portal.rectification.opinions import queries, service
from portal.rectification.permissions import GIVE_OPINION, MANAGE, SEE_OPINIONS
from portal.rectification.rules import NoticeText, demand_lines
from portal.rectification.service import text_from_form
from portal.rectification.words import OPINION_STATES
from tenants.models import Tenant
from tenants.rows import new_id

bp = Blueprint("rectification_opinions", __name__, url_prefix="/rectifications/opinions")
Answer = str | Response | tuple[str, int]


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


@bp.get("/")
@guard(SEE_OPINIONS)
def index() -> Answer:
    """The opinions, newest first."""
    return render_template(
        "rectification/opinions/index.html",
        page=queries.list_opinions(db(), request.args.get("cursor")),
        states=OPINION_STATES,
        levels=LEVELS,
        may_give=actor().may(GIVE_OPINION),
        link=lambda **more: url_for("rectification_opinions.index") + "?" + urlencode(more),
    )


def _prepared(form: OpinionForm) -> OpinionForm:
    form.vendor.choices = [(str(key), name) for key, name in vendor_choices(db())]
    form.level.choices = [(key, str(entry[0])) for key, entry in LEVELS.items()]
    return form


def _form_page(form: OpinionForm) -> str:
    return render_template("rectification/opinions/new.html", form=form)


@bp.get("/new")
@guard(GIVE_OPINION)
def new() -> Answer:
    """An empty opinion, or one proposed from an issued assessment form (`?form=`)."""
    data: dict[str, Any] = {"opinion_id": str(new_id())}
    form_id = _uuid(request.args.get("form"))
    if form_id is not None:
        source = get_form(db(), form_id)
        text = text_from_form(db(), source, "")
        data |= {
            "form_id": str(source.id),
            "vendor": str(source.tenant_id),
            "level": text.level,
            "title": _("Opinion on form %(number)s", number=source.number),
            "facts": text.facts,
            "grounds": text.grounds,
            "demands": "\n".join(text.demands),
        }
    return _form_page(_prepared(OpinionForm(formdata=None, data=data)))


@bp.post("/new")
@guard(GIVE_OPINION)
def create() -> Answer:
    """Give the opinion; the same page sent twice gives one."""
    form = _prepared(OpinionForm())
    opinion_id = form.opinion_uuid()
    if not form.validate_on_submit() or opinion_id is None:
        return _form_page(form), 422
    row = service.give(
        db(),
        opinion_id=opinion_id,
        tenant_id=UUID(form.vendor.data),
        form_id=_uuid(form.form_id.data),
        text=NoticeText(
            title=" ".join((form.title.data or "").split()),
            source="audit",
            level=form.level.data,
            facts=(form.facts.data or "").strip(),
            grounds=(form.grounds.data or "").strip(),
            demands=demand_lines(form.demands.data or ""),
            consequence="",
            working_days=0,
        ),
        actor=actor(),
    )
    db().commit()
    flash(_("The opinion is given; the vendor managers are told."), "success")
    return redirect(url_for("rectification_opinions.show", opinion_id=row.id))


@bp.get("/<uuid:opinion_id>")
@guard(SEE_OPINIONS)
def show(opinion_id: UUID) -> Answer:
    """One opinion, and what became of it."""
    return _page(service.get_opinion(db(), opinion_id))


def _page(opinion: Opinion, problem: PortalError | None = None) -> str:
    return render_template(
        "rectification/opinions/show.html",
        opinion=opinion,
        vendor=db().get(Tenant, opinion.tenant_id),
        demands=demand_lines(opinion.demands),
        notice=service.notice_of(db(), opinion),
        may_answer=actor().may(MANAGE) and opinion.state == "given",
        states=OPINION_STATES,
        levels=LEVELS,
        problem=problem,
    )


@bp.post("/<uuid:opinion_id>/turn")
@guard(MANAGE)
def turn(opinion_id: UUID) -> Answer:
    """Make a draft notice of it."""
    opinion = service.get_opinion(db(), opinion_id, lock=True)
    try:
        check_version(opinion, request.form.get("version"))
        notice = service.turn(db(), opinion, actor=actor())
    except PortalError as error:
        db().rollback()
        return _page(service.get_opinion(db(), opinion_id), error), error.status
    db().commit()
    flash(_("The draft is made of the opinion. Word it, then issue it."), "success")
    return redirect(url_for("rectification.show", notice_id=notice.id))


@bp.post("/<uuid:opinion_id>/decline")
@guard(MANAGE)
def decline(opinion_id: UUID) -> Answer:
    """Decline it with a reason."""
    opinion = service.get_opinion(db(), opinion_id, lock=True)
    try:
        check_version(opinion, request.form.get("version"))
        service.decline(db(), opinion, request.form.get("reason", ""), actor=actor())
    except PortalError as error:
        db().rollback()
        return _page(service.get_opinion(db(), opinion_id), error), error.status
    db().commit()
    flash(_("The opinion is declined; the audit department reads why."), "success")
    return redirect(url_for("rectification_opinions.show", opinion_id=opinion_id))


for _view in (index, new, create, show, turn, decline):
    _view.menu = "rectification.index"  # type: ignore[union-attr]
