"""Signing in and out, one's language, one's password."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.identity import feeds, mailing, service
from portal.identity.forms import MailForm, PasswordForm, SignInForm
from portal.identity.labels import ROLE_NAMES
from portal.identity.web import LOCALES, clear_cookie, remembered, set_cookie, sign_in_session
from portal.kernel.access import open_to_all, signed_in
from portal.kernel.errors import Invalid, PortalError
from portal.kernel.settings import settings
from portal.kernel.web import local_path
from portal.notifications.kinds import MessageKind
from portal.notifications.words import KIND_NAMES

bp = Blueprint("identity", __name__)
Answer = str | Response | tuple[str, int]


@bp.route("/sign-in", methods=["GET", "POST"])
@open_to_all("the page that signs people in")
def sign_in() -> Answer:
    """Sign in with e-mail and password."""
    form = SignInForm()
    if request.method == "GET":
        form.next.data = local_path(request.args.get("next"))
        if g.get("signed"):
            return redirect(form.next.data)
        return render_template("identity/sign_in.html", form=form)
    status, problem = 422, None
    if form.validate_on_submit():
        with sign_in_session(current_app) as session_:
            try:
                token = service.sign_in(
                    session_,
                    form.email.data or "",
                    form.password.data or "",
                    request.remote_addr or "",
                )
            except PortalError as error:
                problem, status = error, error.status
                session_.commit()
            else:
                session_.commit()
                answer = redirect(local_path(form.next.data))
                set_cookie(current_app, answer, token)
                return answer
    return render_template("identity/sign_in.html", form=form, problem=problem), status


@bp.post("/sign-out")
@signed_in
def sign_out() -> Answer:
    """End this session; the cookie is worth nothing afterwards."""
    with sign_in_session(current_app) as session_:
        service.sign_out(session_, g.signed.session_id)
        remembered(current_app).commit(session_)
    answer = redirect(url_for("identity.sign_in"))
    clear_cookie(current_app, answer)
    return answer


@bp.post("/language")
@open_to_all("a choice of language holds before signing in, too")
def language() -> Answer:
    """Choose the language of the pages."""
    locale = request.form.get("locale", "")
    answer = redirect(local_path(request.form.get("next")))
    if locale in LOCALES:
        if g.get("signed"):
            with sign_in_session(current_app) as session_:
                service.set_locale(session_, g.actor.account_id, locale)
                remembered(current_app).commit(session_)
        answer.set_cookie(
            "locale",
            locale,
            max_age=31_536_000,
            httponly=True,
            samesite="Lax",
            secure=current_app.config["SESSION_COOKIE_SECURE"],
        )
    return answer


@bp.post("/theme")
@open_to_all("light or dark holds before signing in, too")
def theme() -> Answer:
    """Choose light, dark, or what the system says."""
    answer = redirect(local_path(request.form.get("next")))
    chosen = request.form.get("theme", "")
    if chosen in ("light", "dark", "auto"):
        answer.set_cookie(
            "theme",
            chosen,
            max_age=31_536_000,
            httponly=True,
            samesite="Lax",
            secure=current_app.config["SESSION_COOKIE_SECURE"],
        )
    return answer


@bp.route("/account", methods=["GET", "POST"])
@signed_in
def account() -> Answer:
    """One's own account: who one is here, and the password (UX 14)."""
    form, status, problem = PasswordForm(), 200, None
    if request.method == "POST":
        status = 422
        if form.validate_on_submit():
            with sign_in_session(current_app) as session_:
                try:
                    service.change_password(
                        session_,
                        g.actor.account_id,
                        form.old.data or "",
                        form.new.data or "",
                        keep=g.signed.session_id,
                    )
                except PortalError as error:
                    problem = error
                else:
                    remembered(current_app).commit(session_)
                    flash(_("Your password is changed; other devices are signed out."), "success")
                    return redirect(url_for("identity.account"))
    return _account_page(form, problem), status


def _account_page(form: PasswordForm, problem: PortalError | None = None) -> str:
    held = mailing.own(current_app.extensions["database"], g.actor.account_id)
    mail_form = _mail_form(formdata=None)
    mail_form.at_once.data = [kind.value for kind in held.choice.at_once]
    mail_form.digest.data = held.choice.digest
    mail_form.locale.data = g.actor.locale or str(get_locale())
    token = session.pop("feed_token", None)
    return render_template(
        "identity/account.html",
        form=form,
        problem=problem,
        roles=[str(ROLE_NAMES[role]) for role in sorted(g.actor.roles)],
        mail_form=mail_form,
        mail_server=bool(settings().smtp_url),
        digest_at=f"{settings().digest_at:%H:%M}",
        feed_since=held.feed_since,
        feed_address=token and f"{settings().base_url}/calendar/{token}.ics",
    )


def _mail_form(**arguments: Any) -> MailForm:
    form = MailForm(prefix="mail-", **arguments)
    form.at_once.choices = [(kind.value, str(KIND_NAMES[kind.value])) for kind in MessageKind]
    form.locale.choices = list(LOCALES.items())
    return form


@bp.post("/account/mails")
@signed_in
def mails() -> Answer:
    """Choose which mails one gets, and in which language (UX 11, 14)."""
    form = _mail_form()
    if not form.validate_on_submit():
        raise Invalid(_("The form is incomplete."), _("Reload the page and try again."))
    choice = mailing.MailChoice(
        frozenset(MessageKind(kind) for kind in form.at_once.data or ()), bool(form.digest.data)
    )
    with sign_in_session(current_app) as session_:
        try:
            mailing.choose(session_, g.actor.account_id, choice, form.locale.data)
        except Invalid as error:
            flash(f"{error.message} {error.mend}", "warning")
        else:
            remembered(current_app).commit(session_)
            flash(_("Your choice of mails is kept."), "success")
    return redirect(url_for("identity.account", _anchor="mails"))


@bp.post("/account/feed")
@signed_in
def feed() -> Answer:
    """Make a new secret address of one's calendar feed, or end the one there is (UX 12)."""
    ending = request.form.get("act") == "revoke"
    with sign_in_session(current_app) as session_:
        if ending:
            feeds.revoke(session_, g.actor.account_id)
        else:
            session["feed_token"] = feeds.renew(session_, g.actor.tenant_id, g.actor.account_id)
        session_.commit()
    if ending:
        flash(_("The address is ended; calendars that used it get nothing any more."), "success")
    return redirect(url_for("identity.account", _anchor="feed"))
