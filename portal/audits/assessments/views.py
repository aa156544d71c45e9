"""Pages of the assessment form: the lists, one form, preparing, returning, confirming it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.audits.appeals.queries import of_findings, papers_of
from portal.audits.appeals.service import may_raise
from portal.audits.appeals.words import APPEAL_STATES, INSTANCES
from portal.audits.assessments import hearing, queries, service
from portal.audits.assessments.export import listed
from portal.audits.assessments.forms import ReturnForm
from portal.audits.assessments.service import Incomplete
from portal.audits.assessments.terms import CardDisplay, display_on
from portal.audits.models import AssessmentForm, FormState
from portal.audits.permissions import APPEAL, CONFIRM_FORM, PREPARE_FORM, SEE_FORMS, SEE_REVIEWS
from portal.audits.reviews import blind
from portal.audits.reviews.queries import progress
from portal.audits.words import FORM_STATES, LEVELS
from portal.files.web import EXPORT_ROWS, workbook
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import NotFound, PortalError
from portal.kernel.phrases import Phrase, phrase
from portal.kernel.web import actor, check_version, db
from portal.materials.lists import vendors as vendor_choices
from portal.notices import cards
from portal.notices import service as notices
from portal.notices.models import Document
from portal.notices.queries import recipients_of
from tenants.models import Tenant

bp = Blueprint("assessments", __name__, url_prefix="/assessments")
Answer = str | Response | tuple[str, int]
MANNERS: Mapping[str, Phrase] = MappingProxyType(
    {
        "random": phrase("Random draw"),
        "targeted": phrase("Targeted audit"),
        "complaint": phrase("Traced from a complaint"),
    }
)


@bp.get("/")
@guard(SEE_FORMS)
def index() -> Answer:
    """The forms: all for the company, those issued to it for a vendor."""
    company = actor().is_company
    state, vendor_id = _wanted()
    kept = {name: value for name, value in (("state", state), ("vendor", vendor_id)) if value}
    may_prepare = actor().may(PREPARE_FORM)
    closed = blind.closed_to(db(), actor())
    return render_template(
        "audits/assessments/index.html",
        rows=queries.list_forms(
            db(), vendor_id=vendor_id, state=state, cursor=request.args.get("cursor")
        ),
        company=company,
        state=state,
        states=FORM_STATES,
        vendor_id=vendor_id,
        vendors=vendor_choices(db()) if company else [],
        waiting=[row for row in progress(db(), closed=closed) if row.unreported]
        if may_prepare
        else [],
        closed=blind.closed_forms(db(), actor()),
        may_prepare=may_prepare,
        may_sign=actor().may(CONFIRM_FORM),
        link=lambda **more: url_for("assessments.index") + "?" + urlencode({**kept, **more}),
        export_url=url_for("assessments.list_export") + "?" + urlencode(kept),
    )


def _wanted() -> tuple[str, UUID | None]:
    """What the list is narrowed to: a state and a vendor, for the company."""
    if not actor().is_company:
        return "", None
    state = request.args.get("state", "")
    return state if state in FORM_STATES else "", _uuid(request.args.get("vendor", ""))


@bp.get("/list.xlsx")
@guard(SEE_FORMS)
def list_export() -> Answer:
    """The list as it is filtered, as a workbook."""
    state, vendor_id = _wanted()
    page = queries.list_forms(db(), vendor_id=vendor_id, state=state, size=EXPORT_ROWS)
    closed = blind.closed_forms(db(), actor())
    return workbook(
        [listed([row for row in page.items if row.id not in closed])], "assessment-forms"
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@bp.post("/")
@guard(PREPARE_FORM)
def prepare() -> Answer:
    """Prepare a form from the judged cases of a request."""
    tenant_id = _uuid(request.form.get("vendor", ""))
    request_id = _uuid(request.form.get("request", ""))
    if tenant_id is None or request_id is None:
        raise NotFound("request to report on")
    form = service.prepare_form(
        db(),
        tenant_id=tenant_id,
        request_id=request_id,
        partial=request.form.get("partial") == "1",
        actor=actor(),
    )
    db().commit()
    flash(_("The form is prepared and waits for the audit head."), "success")
    return redirect(url_for("assessments.show", form_id=form.id))


@bp.get("/<uuid:form_id>")
@guard(SEE_FORMS)
def show(form_id: UUID) -> Answer:
    """A form, row by row as it is or will be on paper. A vendor's opening it is recorded, and
    everybody's look at whole card numbers."""
    form = queries.get_form(db(), form_id)
    if cases := blind.closed_forms(db(), actor()).get(form.id):
        return render_template("audits/opinions/closed.html", form=form, cases=cases)
    document = _paper(form)
    if document is not None and not actor().is_company:
        notices.opened(db(), document, actor=actor())
    whole = cards.read(db(), document, actor=actor()) if document else {}
    db().commit()
    return _page(form, document, whole=whole)


def _paper(form: AssessmentForm) -> Document | None:
    """The form's paper in force: the newest, when an appeal had one replaced."""
    return papers_of(db(), form)[-1] if form.document_id else None


def _page(
    form: AssessmentForm,
    document: Document | None = None,
    *,
    whole: Mapping[str, str] = MappingProxyType({}),
    return_form: ReturnForm | None = None,
    problem: PortalError | None = None,
) -> Answer:
    rows = queries.finding_rows(db(), form)
    person = actor()
    waits = form.state == FormState.PREPARED
    html = render_template(
        "audits/assessments/show.html",
        form=form,
        vendor=db().get(Tenant, form.tenant_id),
        rows=rows,
        whole=whole,
        prints_whole=_prints_whole(document),
        may_open_file=document is not None and cards.may_open_file(db(), document, person),
        reviewed=_reviewed(form, document),
        document=document,
        former=papers_of(db(), form)[:-1] if document else [],
        **_appeals(form, rows),
        recipients=recipients_of(db(), document.id) if document else [],
        addressees=queries.addressees(db(), form.tenant_id, rows) if waits else [],
        clips=len(hearing.unheard(db(), form, rows, person.account_id)) if waits else 0,
        lacking=queries.missing(db(), form, rows) if waits else [],
        problem=problem,
        problems=problem.problems if isinstance(problem, Incomplete) else (),
        return_form=return_form or ReturnForm(formdata=None, data={"version": form.version}),
        own=form.prepared_by == person.account_id,
        may_confirm=waits and person.may(CONFIRM_FORM),
        may_return=waits and (person.may(CONFIRM_FORM) or form.prepared_by == person.account_id),
        may_open=person.may(SEE_REVIEWS),
        company=person.is_company,
        levels=LEVELS,
        states=FORM_STATES,
        manners=MANNERS,
    )
    return (html, problem.status) if problem is not None else html


def _prints_whole(document: Document | None) -> bool:
    """Whether the paper has card numbers whole, or would have, issued today (A6)."""
    if document is not None:
        return cards.prints_whole(document)
    return display_on(db(), clock.today()) is CardDisplay.WHOLE


def _appeals(form: AssessmentForm, rows: Sequence[queries.FindingRow]) -> dict[str, Any]:
    """The appeals of an issued form's findings, and which of these the reader may appeal now."""
    if form.issued_at is None:
        return {"appeals": {}, "may_appeal": ()}
    known = of_findings(db(), form.tenant_id, [row.finding.id for row in rows])
    may = actor().may(APPEAL)
    return {
        "appeals": known,
        "may_appeal": {
            row.finding.id
            for row in rows
            if may and not row.overturned and may_raise(db(), form, known.get(row.finding.id, []))
        },
        "appeal_states": APPEAL_STATES,
        "instances": INSTANCES,
    }


def _reviewed(form: AssessmentForm, document: Document | None) -> list[dict[str, Any]]:
    """The reviewed cases with their verdicts: of an issued form those that were frozen."""
    if document is not None:
        return list(document.content.get("reviews") or [])
    return [
        {
            "case_number": row.case_no,
            "creditor": row.entrusting_company,
            "card": row.card,
            "passed": row.passed,
            "review_id": row.review_id,
        }
        for row in queries.reviewed_rows(db(), form)
    ]


@bp.post("/<uuid:form_id>/confirm")
@guard(CONFIRM_FORM)
def confirm(form_id: UUID) -> Answer:
    """Confirm and issue (A6)."""
    form = queries.get_form(db(), form_id, lock=True)
    try:
        check_version(form, request.form.get("version"))
        service.confirm_form(db(), form, actor=actor())
    except PortalError as error:
        return _refused(form_id, error)
    db().commit()
    flash(_("Form %(number)s is issued.", number=form.number), "success")
    return redirect(url_for("assessments.show", form_id=form.id))


@bp.post("/<uuid:form_id>/return")
@guard(PREPARE_FORM)
def give_back(form_id: UUID) -> Answer:
    """Return a form to the auditor with a reason."""
    form = queries.get_form(db(), form_id, lock=True)
    sent = ReturnForm()
    if not sent.validate_on_submit():
        answer = _page(form, return_form=sent)
        return str(answer), 422
    try:
        check_version(form, sent.version.data)
        service.return_form(db(), form, sent.reason.data or "", actor=actor())
    except PortalError as error:
        return _refused(form_id, error, sent)
    db().commit()
    flash(_("The form is returned; its findings can be completed now."), "success")
    return redirect(url_for("assessments.show", form_id=form.id))


def _refused(form_id: UUID, error: PortalError, sent: ReturnForm | None = None) -> Answer:
    """The present state of the form, what was refused and why, and what was typed."""
    db().rollback()
    form = queries.get_form(db(), form_id)
    document = _paper(form)
    if sent is not None:
        sent.version.data = str(form.version)
    return _page(form, document, return_form=sent, problem=error)


show.menu = "assessments.index"  # type: ignore[attr-defined]
