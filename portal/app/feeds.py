"""The calendar feed of a person's deadlines, behind a secret address and no sign-in (UX 12).

The address gives the person by one function of the public login; what the feed holds is then read
in the person's own scope, behind both walls, as if the person were signed in.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Blueprint, Response, current_app
from flask_babel import force_locale
from flask_babel import gettext as _

from portal.app.reminders import FOLLOWERS, path_of
from portal.audits.reviews.blind import withheld
from portal.deadlines import ics
from portal.deadlines.models import Deadline
from portal.identity.feeds import FeedOwner, find_owner
from portal.kernel import clock
from portal.kernel.access import Actor, Role, open_to_all
from portal.kernel.errors import NotFound
from portal.kernel.phrases import When
from portal.kernel.settings import settings
from tenants.database import Database, ScopedSession
from tenants.scope import bound

bp = Blueprint("feeds", __name__)
KEPT = timedelta(days=60)
MOST = 1_000
VENDOR_ROLES = frozenset({Role.MANAGER, Role.SUPERVISOR, Role.TEAM_LEADER, Role.OFFICE})


@bp.get("/calendar/<token>.ics")
@open_to_all("whoever holds the secret address reads that person's deadlines, and nothing else")
def feed(token: str) -> Response:
    """The deadlines of the person whose secret address this is: numbers and times, no names."""
    database: Database = current_app.extensions["database"]
    owner = find_owner(database, token)
    if owner is None:
        raise NotFound("calendar feed")
    with bound(owner.scope), database.session() as session:
        rows = clocks(session, owner)
    base = settings().base_url
    with force_locale(owner.locale):
        body = ics.calendar(
            _("Deadlines"), urlsplit(base).hostname or "", [_entry(row, base) for row in rows]
        )
    answer = Response(body, mimetype="text/calendar")
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Disposition"] = 'inline; filename="deadlines.ics"'
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def clocks(session: ScopedSession, owner: FeedOwner) -> list[Deadline]:
    """The clocks of a feed, in the owner's scope: a vendor's people the vendor's own, the
    company's people those that their roles follow up."""
    since = clock.now() - KEPT
    statement = sa.select(Deadline).where(
        sa.or_(Deadline.due_at > since, sa.and_(Deadline.met_at.is_(None), _running()))
    )
    if owner.is_company:
        statement = statement.where(Deadline.kind.in_(kinds_of(owner.roles)))
    elif owner.roles & VENDOR_ROLES:
        statement = statement.where(
            Deadline.tenant_id == owner.tenant_id, Deadline.owed_by == "vendor"
        )
    else:
        return []
    rows = session.scalars(statement.order_by(Deadline.due_at.desc()).limit(MOST)).all()
    if not owner.is_company:
        return list(rows)
    kept = withheld(session, _person(owner))
    return [row for row in rows if row.subject_id not in kept.subjects]


def _person(owner: FeedOwner) -> Actor:
    return Actor(owner.account_id, "", owner.tenant_id, owner.tenant_id, owner.roles)


def _running() -> sa.ColumnElement[bool]:
    return Deadline.state.in_(("open", "breached"))


def kinds_of(roles: frozenset[Role]) -> list[str]:
    """The kinds of clocks that the company's people of these roles follow up."""
    return [kind for kind, followers in FOLLOWERS.items() if roles & set(followers)]


def _entry(row: Deadline, base: str) -> ics.Entry:
    words = {
        "material_request": _("Material request %(label)s", label=row.label),
        "rectification": _("Rectification notice %(label)s", label=row.label),
        "rectification_recheck": _("Re-check of %(label)s", label=row.label),
        "finding_form": _("Assessment form: %(label)s", label=row.label),
        "fact_check": _("Check of facts: %(label)s", label=row.label),
        "appeal": _("Appeal against %(label)s", label=row.label),
        "appeal_last": _("Appeal against %(label)s", label=row.label),
    }
    summary = str(words.get(row.kind, row.label))
    if row.met_at is not None:
        summary = _("Done: %(what)s", what=summary)
    elif row.state == "breached":
        summary = _("Overdue: %(what)s", what=summary)
    address = f"{base}{path_of(row.kind, row.subject_id)}"
    text = _("Due %(due)s, Beijing time. %(address)s", due=When(row.due_at), address=address)
    return ics.Entry(row, str(summary), str(text), address)
