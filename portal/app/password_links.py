"""The page behind a one-time link for a password: no sign-in; the person chooses it, once.

Looking uses nothing up (programs of mail servers look); the password that is sent does. The page is
in the person's language, unless the browser has chosen one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from flask import Blueprint, current_app, flash, make_response, redirect, render_template, url_for
from flask import request as http
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from portal.app import letters
from portal.app.form_links import check_requests
from portal.identity.mailing import FALLBACK_LOCALE, Addressee, MailChoice
from portal.identity.people import links
from portal.identity.people.forms import ChosenPasswordForm
from portal.identity.people.links import LinkOver, PasswordLinkMailed
from portal.identity.rules import LinkPurpose
from portal.identity.web import LOCALES, remembered, sign_in_session
from portal.kernel import clock
from portal.kernel.access import Actor, open_to_all
from portal.kernel.errors import Invalid
from portal.kernel.phrases import When, phrase
from portal.kernel.settings import settings
from tenants.rows import new_id

bp = Blueprint("password_link", __name__, url_prefix="/password")
REASON = "whoever holds the secret address chooses the password of the one account it is for, once"


def _private(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@contextmanager
def _in_language_of(locale: str) -> Iterator[None]:
    """In the block, pages are in the person's language, unless the browser has chosen one."""
    if http.cookies.get("locale") in LOCALES or locale not in LOCALES:
        yield
    else:
        with force_locale(locale):
            yield


@bp.route("/<token>", methods=["GET", "POST"])
@open_to_all(REASON)
def choose(token: str) -> Response:
    """Choose the password; or be told why this link does not do (any more), and what does."""
    check_requests(http.remote_addr or "")
    with (
        sign_in_session(current_app) as session,
        _in_language_of(links.owner_locale(session, token)),
    ):
        try:
            return _private(_answer(session, token))
        except LinkOver as error:
            session.rollback()
            page = render_template("identity/people/link_over.html", problem=error)
            return _private(make_response(page, error.status))


def _answer(session: Session, token: str) -> Response:
    found = links.find(session, token)
    form, problem, status = ChosenPasswordForm(), None, 200
    if http.method == "POST":
        status = 422
        if form.validate_on_submit():
            try:
                links.use(session, token, form.new.data or "")
            except Invalid as error:
                session.rollback()
                problem = error
            else:
                remembered(current_app).commit(session)
                flash(_("Your password is chosen. Sign in with it now."), "success")
                return redirect(url_for("identity.sign_in"))
    page = render_template(
        "identity/people/choose.html",
        form=form,
        problem=problem,
        token=token,
        email=found.account.email,
        name=found.account.name,
        organisation=found.organisation,
        until=found.link.expires_at,
        first=found.link.purpose == LinkPurpose.INVITATION,
    )
    return make_response(page, status)


def mail(session: Session, event: PasswordLinkMailed, actor: Actor) -> None:
    """Put a link into the outbox, for the account's own address, in the person's language. Once the
    mail is taken or given up, the link is blanked from the outbox: it is nowhere kept."""
    del actor
    account, until = event.account, When(event.until)
    message = (
        phrase(
            "You have an account. Choose your password by this link, once, until %(until)s.",
            until=until,
        )
        if event.purpose is LinkPurpose.INVITATION
        else phrase("Choose a new password by this link, once, until %(until)s.", until=until)
    )
    to = Addressee(
        account.id,
        account.email,
        account.name,
        frozenset(),
        account.locale or FALLBACK_LOCALE,
        MailChoice(),
    )
    note = letters.Note(message, f"/password/{event.token}")
    letter = letters.link_letter(current_app, to, note)
    mail_id = new_id()
    session.execute(
        sa.text(
            "select app.mail_password_link(:tenant, :mail, :link, :account, :subject, :body, :html,"
            " :message_id, :at)"
        ),
        {
            "tenant": event.tenant_id,
            "mail": mail_id,
            "link": event.subject_id,
            "account": account.id,
            "subject": letter.subject,
            "body": letter.text,
            "html": letter.html,
            "message_id": letters.message_id(mail_id, settings().mail_from),
            "at": clock.now(),
        },
    )
