"""Who is signed in, known for seconds without asking the database for each page.

Every request begins with the question whose session its cookie is. The answer hardly ever changes,
so a process keeps it, beside a line of its own to the database, on which the database tells at once
when it changes: a session ends, an account or an organisation changes or is disabled (triggers of
the migration `signed_changed`, whoever makes the change and by whatever program). While the line
is not known to be alive nothing is remembered, and every request asks as before.
"""

from __future__ import annotations

import hashlib
import logging
import os
import select
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.orm import Session

from portal.identity.service import Signed, find_signed
from portal.kernel import clock
from tenants.database import Database
from tenants.scope import Login

CHANNEL = "signed_changed"
HEARTBEAT = 10.0
"""Seconds after which a silent line is tried."""
MOST = 4_096
"""People that one process remembers; beyond them it begins anew."""
_RETRY = 5.0
_PATIENCE = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    signed: Signed
    since: datetime
    until: datetime


class Remembered:
    """The signed-in people of one process. Safe to use from any thread."""

    def __init__(self, database: Database, lifetime: timedelta) -> None:
        """Remember each for at most `lifetime`; with none, every request asks."""
        self._database, self._lifetime = database, lifetime
        self._held: dict[bytes, _Held] = {}
        self._changes = 0
        self._alive_until = 0.0
        self._told = threading.Condition()
        self._listener: threading.Thread | None = None
        self._wakes, self._wake = -1, -1

    def find(self, token: str) -> Signed | None:
        """The person of a session token, or None when it ended, expired or never was."""
        if not self._lifetime:
            return find_signed(self._database, token)
        if self._listener is None:
            self._listen()
        if not self.listening:
            return find_signed(self._database, token)
        key, at = hashlib.sha256(token.encode()).digest(), clock.now()
        held = self._held.get(key)
        if held is not None and held.since <= at < held.until:
            return held.signed
        before = self._changes
        signed = find_signed(self._database, token)
        if signed is not None:
            self._keep(key, _Held(signed, at, at + self._lifetime), before)
        return signed

    def _keep(self, key: bytes, held: _Held, before: int) -> None:
        with self._told:
            if self._changes != before:
                return  # what was read may be older than the change
            if len(self._held) >= MOST:
                self._held.clear()
            self._held[key] = held

    @property
    def listening(self) -> bool:
        """Whether the line was alive within the last two heartbeats."""
        return time.monotonic() < self._alive_until

    def commit(self, session: Session) -> None:
        """Commit a change of who is signed in, or as whom. Afterwards this process knows it, and
        the others were told at the same moment: the next page shows it, whoever answers."""
        if not self.listening:
            session.commit()
            return
        session.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))
        before = self._changes
        session.commit()
        with self._told:
            self._told.wait_for(lambda: self._changes != before, timeout=_PATIENCE)
            self._held.clear()
            self._changes += 1

    def close(self) -> None:
        """Stop listening."""
        listener = self._listener
        if listener is not None:
            self._lifetime = timedelta()
            os.write(self._wake, b"x")
            listener.join()

    def _listen(self) -> None:
        with self._told:
            if self._listener is None:
                self._wakes, self._wake = os.pipe()
                self._listener = threading.Thread(
                    target=self._hear, name="signed-changed", daemon=True
                )
                self._listener.start()

    def _hear(self) -> None:
        try:
            while self._lifetime:
                try:
                    with self._database.line(Login.SIGN_IN) as line:
                        self._attend(line)
                except (psycopg.Error, OSError) as error:
                    log.warning("not told of changed sessions: %s", type(error).__name__)
                self._begin_anew(alive_until=0.0)
                if self._lifetime:
                    select.select([self._wakes], [], [], _RETRY)
        finally:
            for end in (self._wakes, self._wake):
                with suppress(OSError):
                    os.close(end)

    def _attend(self, line: psycopg.Connection[object]) -> None:
        line.add_notify_handler(lambda _notice: self._begin_anew())
        line.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
        # Changes from before the line stood were told to nobody.
        self._begin_anew(alive_until=time.monotonic() + 2 * HEARTBEAT)
        while self._lifetime:
            select.select([line.fileno(), self._wakes], [], [], HEARTBEAT)
            asked = time.monotonic()
            line.execute("SELECT 1")  # reads what was told, and fails when the line is dead
            self._alive_until = asked + 2 * HEARTBEAT

    def _begin_anew(self, alive_until: float | None = None) -> None:
        with self._told:
            self._held.clear()
            self._changes += 1
            if alive_until is not None:
                self._alive_until = alive_until
            self._told.notify_all()
