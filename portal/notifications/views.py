"""The inbox, and the mails that went out."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.kernel.access import guard, signed_in
from portal.kernel.errors import Conflict
from portal.kernel.settings import settings
from portal.kernel.web import actor, db
from portal.notifications import mails, queries, service
from portal.notifications.kinds import MailState
from portal.notifications.permissions import MAILS
from portal.notifications.words import KIND_NAMES, MAIL_STATES

bp = Blueprint("messages", __name__)


@bp.get("/messages")
@signed_in
def inbox() -> str | Response:
    """The newest messages; opening the page marks them as read."""
    messages = service.inbox(db(), actor())
    if any(message.unread for message in messages):
        service.mark_read(db(), actor())
        db().commit()
    return render_template("messages/inbox.html", messages=messages)


@bp.get("/mails")
@guard(MAILS)
def mail_list() -> str | Response:
    """The mails that went out, wait or failed, with what the mail server said."""
    state = request.args.get("state", "")
    state = state if state in set(MailState) else ""
    page = queries.list_mails(db(), state, request.args.get("cursor"))
    base = url_for("messages.mail_list", state=state or None)
    joined = f"{base}{'&' if state else '?'}cursor="
    return render_template(
        "messages/mails.html",
        page=page,
        state=state,
        counts=queries.mail_counts(db()),
        states=MAIL_STATES,
        kinds=KIND_NAMES,
        server=settings().smtp_url.rpartition("@")[2].rpartition("/")[2].partition("?")[0],
        sender=settings().mail_from,
        digest_at=f"{settings().digest_at:%H:%M}",
        next_url=page.next and joined + page.next,
        previous_url=page.previous and joined + page.previous,
    )


@bp.post("/mails/<uuid:mail_id>/again")
@guard(MAILS)
def mail_again(mail_id: UUID) -> str | Response:
    """Give a mail that failed another chance."""
    try:
        mails.send_again(db(), mail_id, actor=actor())
    except Conflict as error:
        db().rollback()
        flash(f"{error.message} {error.mend}", "warning")
    else:
        db().commit()
        flash(_("The mail waits to be sent again."), "success")
    return redirect(url_for("messages.mail_list"))


mail_again.menu = "messages.mail_list"  # type: ignore[attr-defined]
