"""Failed sign-ins are kept for their days, then the worker takes them away and says how many."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from portal.app import background
from portal.identity.models import SignInAttempt
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role
from portal.kernel.settings import settings
from tenants.scope import Login, Scope
from tests.conftest import Portal
from tests.factories.world import MOMENT

SIGN_IN = Scope(Login.SIGN_IN)


def _kept(portal: Portal) -> int:
    with portal.session(SIGN_IN) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(SignInAttempt)) or 0


def test_old_attempts_are_swept_by_the_worker_and_counted_in_the_journal(portal: Portal) -> None:
    world, kept = portal.world, timedelta(days=settings().attempt_days)
    client = portal.app.test_client()
    wrong = {"email": world.email(Role.AUDITOR), "password": "not the password"}
    database = portal.app.extensions["database"]
    (chore,) = (
        one
        for one in background.chores(database, world.company_id)
        if one.name == "forget old sign-in attempts"
    )
    for at, times in ((MOMENT, 2), (MOMENT + timedelta(days=1), 1)):
        with clock.frozen(at):
            for _ in range(times):
                assert client.post("/sign-in", data=wrong).status_code in (401, 422)
    for at, left in ((MOMENT + kept, 3), (MOMENT + kept + timedelta(seconds=1), 1)):
        with clock.frozen(at):
            chore.run()
            assert _kept(portal) == left
    with clock.frozen(MOMENT + kept + timedelta(seconds=2)):
        chore.run()
    with portal.session(world.scope) as session:
        acts = session.execute(
            sa.select(JournalEntry.tenant_id, JournalEntry.data).where(
                JournalEntry.action == "identity.attempts.swept"
            )
        ).all()
    assert [(row.tenant_id, row.data) for row in acts] == [
        (world.company_id, {"attempts": 2, "days": 30})
    ]
