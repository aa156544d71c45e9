"""The page behind a one-time link (A5): no sign-in, one person's findings of one form, no more.

The token gives the link by one function of the public login; the page is then read in the vendor's
scope, behind both walls. Whoever opens it first binds it to that browser by a press of a button:
programs that only look at addresses bind nothing.
"""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager
from datetime import timedelta

from flask import Blueprint, Response, current_app, make_response, redirect, render_template
from flask import request as http
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from portal.app import letters
from portal.app.outbox import queued
from portal.audits.appeals.queries import papers_of
from portal.audits.links import service
from portal.audits.links.models import FormLink
from portal.audits.links.service import LinkMailed
from portal.audits.links.terms import MOST_DAYS
from portal.audits.models import AssessmentForm
from portal.audits.words import LEVELS
from portal.identity.mailing import FALLBACK_LOCALE, Addressee, MailChoice
from portal.identity.throttle import admit
from portal.identity.web import cookie_name
from portal.kernel.access import Actor, open_to_all
from portal.kernel.errors import NotFound, PortalError
from portal.kernel.phrases import phrase, plural
from portal.kernel.settings import settings
from portal.notices.labels import CHOICES
from portal.notices.rules import Choice
from portal.notifications.kinds import FORM_LINK
from tenants.database import Database, ScopedSession
from tenants.models import Tenant
from tenants.scope import Login, Scope, bound

bp = Blueprint("form_page", __name__, url_prefix="/f")
REASON = "whoever holds the secret address sees one person's findings of one form, in one browser"


class TooMany(PortalError):
    """Too many requests for one-time links from one address."""

    status = 429


def check_requests(address: str) -> None:
    """Note a request for a one-time link, of whatever kind, from an address; raises `TooMany`
    beyond the limit (PORTAL_LINK_REQUESTS a minute, all processes together)."""
    database: Database = current_app.extensions["database"]
    with bound(Scope(Login.SIGN_IN)), database.session() as session:
        admitted = admit(session, address, settings().link_requests)
        session.commit()
    if not admitted:
        raise TooMany(
            phrase("Too many requests."), phrase("Wait a minute, then open the link again.")
        )


def _cookie() -> str:
    return f"{cookie_name(current_app)}-form"


def _found(token: str) -> service.Found:
    check_requests(http.remote_addr or "")
    database: Database = current_app.extensions["database"]
    found = service.find(database, token)
    if found is None:
        raise NotFound("one-time link")
    return found


def _session() -> AbstractContextManager[ScopedSession]:
    database: Database = current_app.extensions["database"]
    return database.session()


def _private(answer: BaseResponse) -> BaseResponse:
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@bp.get("/<token>")
@open_to_all(REASON)
def show(token: str) -> BaseResponse:
    """Nothing but a button until this browser is the link's; then the page."""
    found = _found(token)
    with bound(found.scope), _session() as session:
        link = service.get_open(session, found, http.cookies.get(_cookie(), ""))
        if link.browser_hash is None:
            return _private(make_response(render_template("audits/links/open.html", token=token)))
        return _private(make_response(_page(session, link, token)))


def _page(session: Session, link: FormLink, token: str, problem: PortalError | None = None) -> str:
    form = session.get_one(AssessmentForm, (link.tenant_id, link.form_id))
    return render_template(
        "audits/links/page.html",
        token=token,
        link=link,
        number=papers_of(session, form)[-1].number,
        vendor=session.get_one(Tenant, link.tenant_id).short_name,
        rows=service.rows_of(session, form, link.person_name, link.staff_no),
        levels=LEVELS,
        choices=[(choice.value, str(name)) for choice, name in CHOICES.items()],
        names={choice.value: name for choice, name in CHOICES.items()},
        problem=problem,
    )


@bp.post("/<token>/open")
@open_to_all(REASON)
def take(token: str) -> BaseResponse:
    """Bind the link to this browser."""
    found = _found(token)
    browser = http.cookies.get(_cookie(), "") or secrets.token_urlsafe(32)
    with bound(found.scope), _session() as session:
        link = service.get_open(session, found, browser)
        if link.browser_hash is None:
            service.bind(session, link, browser, actor=service.actor_of(found, link))
            session.commit()
    answer = redirect(f"/f/{token}")
    answer.set_cookie(
        _cookie(),
        browser,
        max_age=int(timedelta(days=MOST_DAYS).total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        path="/",
    )
    return _private(answer)


@bp.post("/<token>/receipt")
@open_to_all(REASON)
def acknowledge(token: str) -> BaseResponse:
    """签收: with or without an appeal to follow."""
    found = _found(token)
    chosen = http.form.get("choice", "")
    with bound(found.scope), _session() as session:
        link = service.get_open(session, found, http.cookies.get(_cookie(), ""))
        if link.browser_hash is None or chosen not in tuple(Choice):
            raise NotFound("one-time link")
        person: Actor = service.actor_of(found, link)
        try:
            service.answer(session, link, Choice(chosen), http.form.get("note", ""), actor=person)
        except PortalError as error:
            session.rollback()
            link = service.get_open(session, found, http.cookies.get(_cookie(), ""))
            body = _page(session, link, token, error)
            return _private(Response(body, status=error.status))
        session.commit()
    return _private(redirect(f"/f/{token}"))


def mail(session: Session, event: LinkMailed, actor: Actor) -> None:
    """Put a link into the outbox: no name and no number in it. Once the mail is taken, the address
    of the page is blanked from the outbox, so that the token is nowhere kept."""
    del actor
    to = Addressee(event.subject_id, event.address, "", frozenset(), FALLBACK_LOCALE, MailChoice())
    note = letters.Note(
        plural(
            "A notice waits for you: open it once, in one browser, within %(days)s day.",
            "A notice waits for you: open it once, in one browser, within %(days)s days.",
            by="days",
            days=event.days,
        ),
        f"/f/{event.token}",
    )
    letter = letters.link_letter(current_app, to, note)
    session.execute(queued(event.tenant_id, event.subject_id, to, FORM_LINK, letter))
