"""The inbox."""

from __future__ import annotations

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from portal.kernel.access import signed_in
from portal.kernel.web import actor, db
from portal.notifications import service

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
