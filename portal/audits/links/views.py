"""Make one-time links to a form's pages for the persons responsible, and see their fate."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.audits.assessments.queries import finding_rows, get_form
from portal.audits.links import service
from portal.audits.links.terms import days_on
from portal.audits.models import AssessmentForm
from portal.audits.permissions import HAND_LINK
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import NotFound, PortalError
from portal.kernel.settings import settings
from portal.kernel.web import actor, db
from portal.notices.labels import CHOICES
from portal.notices.rules import Choice

bp = Blueprint("form_links", __name__, url_prefix="/assessments/<uuid:form_id>/links")
Answer = str | Response | tuple[str, int]


def _issued(form_id: UUID) -> AssessmentForm:
    form = get_form(db(), form_id)
    if form.issued_at is None:
        raise NotFound("issued form")
    return form


@bp.get("")
@guard(HAND_LINK)
def show(form_id: UUID) -> Answer:
    """The persons responsible of a form with their links."""
    return _page(_issued(form_id))


def _page(
    form: AssessmentForm,
    made: tuple[str, str] | None = None,
    problem: PortalError | None = None,
) -> str:
    links = service.links_of(db(), form)
    people = service.people_of(db(), finding_rows(db(), form))
    return render_template(
        "audits/links/show.html",
        form=form,
        people=[
            (name, number, [x for x in links if (x.person_name, x.staff_no) == (name, number)])
            for name, number in people
        ],
        made=made,
        problem=problem,
        company=actor().is_company,
        may_mail=actor().is_company and bool(settings().smtp_url),
        choices={choice.value: name for choice, name in CHOICES.items() if choice in Choice},
        days=days_on(db(), clock.today()),
        moment=clock.now(),
    )


@bp.post("")
@guard(HAND_LINK)
def make(form_id: UUID) -> Answer:
    """Make a link: shown this once, or mailed."""
    form = _issued(form_id)
    name, number = request.form.get("person", "")[:80], request.form.get("staff_no", "")[:80]
    mail_to = request.form.get("mail_to", "").strip()[:254] if actor().is_company else ""
    try:
        token = service.make(db(), form, name, number, mail_to=mail_to, actor=actor())
    except NotFound:
        raise
    except PortalError as error:
        db().rollback()
        return _page(_issued(form_id), problem=error), error.status
    db().commit()
    if mail_to:
        flash(_("The link goes out by mail."), "success")
        return redirect(url_for("form_links.show", form_id=form_id))
    return _page(form, made=(name, f"{settings().base_url}/f/{token}"))


show.menu = make.menu = "assessments.index"  # type: ignore[attr-defined]
