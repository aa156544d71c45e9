"""Signing in and out, one's language, one's password."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.identity import service
from portal.identity.forms import PasswordForm, SignInForm
from portal.identity.labels import ROLE_NAMES
from portal.identity.web import LOCALES, clear_cookie, set_cookie, sign_in_session
from portal.kernel.access import open_to_all, signed_in
from portal.kernel.errors import PortalError
from portal.kernel.web import local_path

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
        with sign_in_session(current_app) as session:
            try:
                token = service.sign_in(
                    session,
                    form.email.data or "",
                    form.password.data or "",
                    request.remote_addr or "",
                )
            except PortalError as error:
                problem, status = error, error.status
                session.commit()
            else:
                session.commit()
                answer = redirect(local_path(form.next.data))
                set_cookie(current_app, answer, token)
                return answer
    return render_template("identity/sign_in.html", form=form, problem=problem), status


@bp.post("/sign-out")
@signed_in
def sign_out() -> Answer:
    """End this session; the cookie is worth nothing afterwards."""
    with sign_in_session(current_app) as session:
        service.sign_out(session, g.signed.session_id)
        session.commit()
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
            with sign_in_session(current_app) as session:
                service.set_locale(session, g.actor.account_id, locale)
                session.commit()
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
            with sign_in_session(current_app) as session:
                try:
                    service.change_password(
                        session,
                        g.actor.account_id,
                        form.old.data or "",
                        form.new.data or "",
                        keep=g.signed.session_id,
                    )
                except PortalError as error:
                    problem = error
                else:
                    session.commit()
                    flash(_("Your password is changed; other devices are signed out."), "success")
                    return redirect(url_for("identity.account"))
    return (
        render_template(
            "identity/account.html",
            form=form,
            problem=problem,
            roles=[str(ROLE_NAMES[role]) for role in sorted(g.actor.roles)],
        ),
        status,
    )
