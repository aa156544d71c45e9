"""People and roles, for the company's administrator (rules A1, A2).

Accounts are seen by the sign-in login only: each view works in one session on that login, which
stands in for the request's own. Vendors' people get 404.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from portal.identity.labels import ROLE_NAMES, STANDING_NAMES
from portal.identity.people import queries, service
from portal.identity.people.forms import PersonForm
from portal.identity.people.permissions import MANAGE
from portal.identity.people.queries import Organisation, PeopleFilter, PersonPage
from portal.identity.rules import MOST_EMAIL, MOST_GROUND, MOST_NAME, Standing
from portal.identity.web import DEFAULT_LOCALE, LOCALES, remembered, sign_in_session
from portal.kernel.access import Role, guard
from portal.kernel.errors import NotFound, PortalError
from portal.kernel.settings import settings
from portal.kernel.web import actor

bp = Blueprint("people", __name__, url_prefix="/accounts")
Answer = str | Response | tuple[str, int]
SHOWN_ONCE = "password_link"
"""Where the browser's session carries a link to the page that shows it, once."""


def _organisation(known: list[Organisation], wanted: str) -> Organisation:
    """The organisation that the address names; the company where it names none."""
    return next((one for one in known if str(one.id) == wanted), known[0])


def _filter(organisation: Organisation) -> PeopleFilter:
    """What the address asks for; what cannot be read counts as not asked."""
    role, status = request.args.get("role", ""), request.args.get("status", "")
    return PeopleFilter(
        organisation.id,
        request.args.get("q", "").strip()[:60],
        role if role in organisation.roles else "",
        status if status in tuple(Standing) else "",
    )


def _query(wanted: PeopleFilter, sort: str, cursor: str | None = None) -> str:
    values = {
        "org": wanted.tenant_id,
        "q": wanted.search,
        "role": wanted.role,
        "status": wanted.status,
        "sort": "" if sort == queries.DEFAULT_SORT else sort,
        "cursor": cursor,
    }
    return "?" + urlencode({name: value for name, value in values.items() if value})


@bp.get("/")
@guard(MANAGE)
def index() -> Answer:
    """The people of the company or, by choice, of a vendor."""
    with sign_in_session(current_app) as session_:
        known = queries.organisations(session_)
        organisation = _organisation(known, request.args.get("org", ""))
        wanted = _filter(organisation)
        sort, order = queries.sort_of(request.args.get("sort", ""))
        page = queries.list_people(session_, wanted, order, request.args.get("cursor"))
    base = url_for("people.index")
    names = [f"{way}{name}" for name in queries.SORTS for way in ("", "-")]
    return render_template(
        "identity/people/index.html",
        page=page,
        wanted=wanted,
        organisation=organisation,
        organisations=[(str(one.id), one.name) for one in known],
        roles=[(role.value, ROLE_NAMES[role]) for role in organisation.roles],
        role_names=ROLE_NAMES,
        standings=STANDING_NAMES,
        sort=sort,
        sort_urls={name: base + _query(wanted, name) for name in names},
        next_url=page.next and base + _query(wanted, sort, page.next),
        previous_url=page.previous and base + _query(wanted, sort, page.previous),
        filtered=bool(wanted.search or wanted.role or wanted.status),
    )


def _form(organisation: Organisation) -> PersonForm:
    form = PersonForm()
    form.roles.choices = [(role.value, str(ROLE_NAMES[role])) for role in organisation.roles]
    form.locale.choices = list(LOCALES.items())
    if request.method == "GET":
        form.locale.data = DEFAULT_LOCALE
    return form


@bp.route("/new", methods=["GET", "POST"])
@guard(MANAGE)
def new() -> Answer:
    """Add a person, who gets a one-time link to choose the password."""
    problem: PortalError | None = None
    with sign_in_session(current_app) as session_:
        known = queries.organisations(session_)
        organisation = _organisation(known, request.args.get("org", ""))
        form = _form(organisation)
        if form.validate_on_submit():
            mailed = bool(settings().smtp_url)
            try:
                account, token = service.add_person(
                    session_,
                    tenant_id=organisation.id,
                    email=form.email.data or "",
                    name=form.name.data or "",
                    roles=[Role(role) for role in form.roles.data or ()],
                    locale=form.locale.data,
                    ground=form.ground.data or "",
                    mailed=mailed,
                    actor=actor(),
                )
            except PortalError as error:
                session_.rollback()
                problem = error
            else:
                session_.commit()
                flash(_("%(name)s is added.", name=account.name), "success")
                return _handed_over(account.id, token, mailed=mailed)
    status = 200 if request.method == "GET" else problem.status if problem else 422
    page = render_template(
        "identity/people/new.html",
        form=form,
        problem=problem,
        organisation=organisation,
        organisations=[(str(one.id), one.name) for one in known if one.is_active],
        mailed=bool(settings().smtp_url),
    )
    return page, status


def _handed_over(account_id: UUID, token: str, *, mailed: bool) -> Response:
    """To the person's page: the link goes out by mail, or is shown there once."""
    if mailed:
        flash(_("The link goes out by mail."), "success")
    else:
        session[SHOWN_ONCE] = [str(account_id), token]
    return redirect(url_for("people.show", account_id=account_id))


@bp.get("/<uuid:account_id>")
@guard(MANAGE)
def show(account_id: UUID) -> Answer:
    """One person: account, roles now and before, one-time link."""
    with sign_in_session(current_app) as session_:
        person = queries.get_person(session_, account_id)
    return _page(person)


def _page(person: PersonPage, problem: PortalError | None = None) -> str:
    address = ""
    kept = session.pop(SHOWN_ONCE, None)
    if kept and kept[0] == str(person.id) and person.link and person.link.is_open:
        address = f"{settings().base_url}/password/{kept[1]}"
    return render_template(
        "identity/people/show.html",
        person=person,
        problem=problem,
        address=address,
        own=person.id == actor().account_id,
        role_names=ROLE_NAMES,
        standings=STANDING_NAMES,
        mail_server=bool(settings().smtp_url),
        most_ground=MOST_GROUND,
        most_name=MOST_NAME,
        most_email=MOST_EMAIL,
        locale_names=LOCALES,
    )


Act = Callable[[Session, dict[str, Any]], object]


def _change(account_id: UUID, act: Act, done: str) -> Answer:
    """Do `act`, which gets the session and what every change takes; then to the person's page."""
    given = {"seen_version": request.form.get("version", ""), "actor": actor()}
    with sign_in_session(current_app) as session_:
        try:
            act(session_, given)
        except NotFound:
            raise
        except PortalError as error:
            session_.rollback()
            return _page(queries.get_person(session_, account_id), error), error.status
        remembered(current_app).commit(session_)
    flash(done, "success")
    return redirect(url_for("people.show", account_id=account_id))


def _ground() -> str:
    return request.form.get("ground", "")


@bp.post("/<uuid:account_id>/correct")
@guard(MANAGE)
def correct(account_id: UUID) -> Answer:
    """Mend name and address before the person has chosen a password."""
    return _change(
        account_id,
        lambda session_, given: service.correct(
            session_,
            account_id,
            name=request.form.get("name", ""),
            email=request.form.get("email", ""),
            **given,
        ),
        _("Corrected. Any link so far has ended: invite the person again."),
    )


@bp.post("/<uuid:account_id>/roles")
@guard(MANAGE)
def name_to_role(account_id: UUID) -> Answer:
    """Name the person to a role, from now on (rule A1)."""
    wanted = request.form.get("role", "")
    if wanted not in tuple(Role):
        raise NotFound("role")
    return _change(
        account_id,
        lambda session_, given: service.name_to_role(
            session_, account_id, Role(wanted), ground=_ground(), **given
        ),
        _("Named. It stands on record from now on."),
    )


@bp.post("/<uuid:account_id>/roles/<uuid:appointment_id>/withdraw")
@guard(MANAGE)
def withdraw(account_id: UUID, appointment_id: UUID) -> Answer:
    """Withdraw a role (rule A1)."""
    return _change(
        account_id,
        lambda session_, given: service.withdraw_role(
            session_, account_id, appointment_id, ground=_ground(), **given
        ),
        _("Withdrawn. It holds from the person's next page on."),
    )


@bp.post("/<uuid:account_id>/disable")
@guard(MANAGE)
def disable(account_id: UUID) -> Answer:
    """Disable the account; its sessions end at once."""
    return _change(
        account_id,
        lambda session_, given: service.disable(session_, account_id, ground=_ground(), **given),
        _("The account is disabled, and signed out everywhere."),
    )


@bp.post("/<uuid:account_id>/enable")
@guard(MANAGE)
def enable(account_id: UUID) -> Answer:
    """Enable the account again."""
    return _change(
        account_id,
        lambda session_, given: service.enable(session_, account_id, **given),
        _("The account is enabled again."),
    )


@bp.post("/<uuid:account_id>/link")
@guard(MANAGE)
def link(account_id: UUID) -> Answer:
    """Send a new one-time link: the invitation again, or for a lost password."""
    mailed, made = bool(settings().smtp_url), ""

    def act(session_: Session, given: dict[str, Any]) -> None:
        nonlocal made
        _account, made = service.send_link(session_, account_id, mailed=mailed, **given)

    answer = _change(account_id, act, _("A new link is made; any earlier one has ended."))
    return _handed_over(account_id, made, mailed=mailed) if made else answer


@bp.post("/<uuid:account_id>/link/revoke")
@guard(MANAGE)
def revoke_link(account_id: UUID) -> Answer:
    """Take the open link back."""
    return _change(
        account_id,
        lambda session_, given: service.revoke_link(session_, account_id, **given),
        _("The link is taken back."),
    )


new.menu = show.menu = correct.menu = name_to_role.menu = withdraw.menu = "people.index"  # type: ignore[attr-defined]
disable.menu = enable.menu = link.menu = revoke_link.menu = "people.index"  # type: ignore[attr-defined]
