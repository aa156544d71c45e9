"""The journal for those who answer for it."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from portal.journal.permissions import VIEW
from portal.journal.queries import list_entries
from portal.kernel.access import guard
from portal.kernel.web import db

bp = Blueprint("journal", __name__)


@bp.get("/journal")
@guard(VIEW)
def index() -> str:
    """Who did what to what, when; sealed entries show their place in the chain."""
    page = list_entries(
        db(),
        action=request.args.get("action", "").strip()[:60],
        cursor=request.args.get("cursor"),
    )
    return render_template("journal/index.html", page=page)
