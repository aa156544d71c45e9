"""The journal for those who answer for it."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from portal.journal.permissions import VIEW
from portal.journal.queries import list_entries
from portal.kernel.access import guard
from portal.kernel.web import actor, db
from portal.kernel.withheld import withheld_from

bp = Blueprint("journal", __name__)


@bp.get("/journal")
@guard(VIEW)
def index() -> str:
    """Who did what to what, when; sealed entries show their place in the chain. What would tell
    somebody of a case on which they may give a blind opinion waits until then."""
    kept = withheld_from(db(), actor())
    page = list_entries(
        db(),
        but=kept,
        action=request.args.get("action", "").strip()[:60],
        cursor=request.args.get("cursor"),
    )
    return render_template("journal/index.html", page=page, kept=bool(kept))
