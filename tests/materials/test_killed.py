"""Kill -9 of web, worker and PostgreSQL at random moments while people upload.

Real processes, as bin/demo starts them. A file that was acknowledged is never lost and never there
twice, whatever was killed when; what the killed ones left behind is gone after the sweeps.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.desk import Desk, File
from devserver import postmaster
from devserver.demo import CLI, gunicorn
from devserver.postgres import Cluster
from devserver.surroundings import ROOT, variables
from portal.app import background, orphans, provision
from portal.app.factory import open_database
from portal.files.models import StoredFile
from portal.files.service import storage
from portal.kernel import clock
from portal.kernel import settings as settings_module
from portal.kernel.access import Role, system_actor
from portal.kernel.settings import Settings
from portal.materials.kinds import CheckState
from portal.materials.models import Delivery
from tenants.database import Database
from tenants.scope import bound
from tests.factories import world as world_factory
from tests.factories.materials import add_request
from tests.factories.world import PASSWORD, World
from tests.ports import free_port

KILLS = int(os.environ.get("PORTAL_TEST_KILLS", "100"))
SENDERS = 3
CASES = 60
TOGETHER = 4
"""Files that one sender starts and completes together, as the desk does with a folder's."""
IN_HASTE = 0.2
"""The share of kills that do not wait until something was acknowledged since the last one."""
TARGETS = ("web", "web", "web", "worker", "postgres")
BREAKS = (OSError, AssertionError, RuntimeError, http.client.HTTPException, ValueError)


@dataclass
class Processes:
    """The portal's processes, each of which can be killed and comes again."""

    environ: dict[str, str]
    cluster: Cluster
    log: Path
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start the web server or the worker."""
        argv = gunicorn(self.port) if name == "web" else [*CLI, "worker"]
        with (self.log / f"{name}.log").open("ab") as output:
            self.running[name] = subprocess.Popen(
                argv, env=self.environ, cwd=ROOT, stdout=output, stderr=output
            )

    def children(self, name: str) -> list[int]:
        """The processes below one of them."""
        pid = self.running[name].pid
        path = Path(f"/proc/{pid}/task/{pid}/children")
        return [int(child) for child in path.read_text().split()]

    def kill(self, name: str, dice: random.Random) -> None:
        """Kill -9, and start anew what does not come by itself."""
        if name == "postgres":
            state = postmaster.read(self.cluster._data, self.cluster.name)
            assert state is not None
            os.kill(state.pid, signal.SIGKILL)
            assert postmaster._wait_for_end(state.pid, 30_000)
            self.cluster.start()
            return
        children = self.children(name)
        if name == "web" and children and dice.random() < 0.6:
            os.kill(dice.choice(children), signal.SIGKILL)  # its master starts another one
            return
        process = self.running[name]
        process.kill()
        process.wait()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.start(name)

    def tend(self) -> None:
        """Start what ended by itself, as the supervisor of an installation does: the worker ends
        when it finds no database."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.start(name)

    def stop(self) -> None:
        """End them in good order."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


@dataclass
class Acknowledged:
    """What the portal said is delivered: delivery id by the file's SHA-256."""

    files: dict[str, str] = field(default_factory=dict)
    tries: int = 0
    broken: int = 0


@contextmanager
def place() -> Iterator[tuple[Processes, Database, World, list[str]]]:
    """A portal of its own with a durable PostgreSQL, and the path of a request for many cases."""
    folder = Path(tempfile.mkdtemp(prefix="portal-killed-"))
    folder.chmod(0o711)
    cluster = Cluster(folder / "postgres")
    cluster.start()
    environ = variables("demo", folder, cluster.url("killed"), os.environ)
    environ["PORTAL_TRUSTED_HOSTS"] = "127.0.0.1,localhost"
    settings = Settings.from_env(environ)
    settings_module.install(settings)
    provision.bootstrap(settings)
    provision.migrate(settings)
    database = open_database(settings)
    world = world_factory.build(database)
    with bound(world.scope), database.session() as session:
        made = add_request(session, world, world.vendors[0], cases=CASES)
        request_id = str(made.id)
    processes = Processes(environ, cluster, folder)
    try:
        processes.start("web")
        processes.start("worker")
        yield processes, database, world, [request_id]
    finally:
        processes.stop()
        database.dispose()
        cluster.stop()
        cluster.remove()
        shutil.rmtree(folder, ignore_errors=True)


def recording(dice: random.Random, seconds: float) -> bytes:
    """A sound that no other file has."""
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(dice.randbytes(int(seconds * 16_000)))
    return sink.getvalue()


def files_of(number: int, batch: int, folder: Path, dice: random.Random) -> list[File]:
    """A sender's next files, each with bytes and a name of its own; now and then one of two
    parts."""
    made = []
    for at in range(TOGETHER):
        count = batch * TOGETHER + at
        body = recording(dice, 560 if count % 40 == 39 else dice.uniform(0.5, 4))
        case = (number + count * SENDERS) % CASES + 1
        path = folder / f"sent-{at}"
        path.write_bytes(body)
        made.append(File(f"HC-{case:05d}_催收录音_{number}-{count}.wav", path, len(body)))
    return made


def deliver(desk: Desk, files: list[File]) -> list[str]:
    """Delivery ids of the files: matched, started and completed together, as the desk does it.
    What of them is with the portal already goes on from there."""
    found = desk.match(files)
    tickets = desk.start([(file, one["item_id"]) for file, one in zip(files, found, strict=True)])
    for file, ticket in zip(files, tickets, strict=True):
        left = [n for n in range(1, ticket["parts"] + 1) if n not in ticket["received"]]
        desk.send_parts(ticket, file, left)
    return [done["delivery_id"] for done in desk.complete(tickets)]


def send_on(
    number: int,
    processes: Processes,
    email: str,
    request_id: str,
    stop: threading.Event,
    told: Acknowledged,
) -> None:
    """One person who sends files after files, the same again and again until they are
    acknowledged."""
    dice = random.Random(number)
    desk: Desk | None = None
    batch = 0
    with tempfile.TemporaryDirectory() as name:
        while not stop.is_set():
            files = files_of(number, batch, Path(name), dice)
            batch += 1
            while True:
                told.tries += 1
                try:
                    if desk is None:
                        desk = Desk(processes.port, request_id, email, PASSWORD)
                    ids = deliver(desk, files)
                except BREAKS:
                    told.broken += 1
                    time.sleep(0.1)
                    continue
                for file, delivery_id in zip(files, ids, strict=True):
                    told.files[hashlib.sha256(file.path.read_bytes()).hexdigest()] = delivery_id
                break


def kill_on(processes: Processes, told: Acknowledged, dice: random.Random) -> list[str]:
    """Kill again and again at random moments; mostly after something was acknowledged since the
    last time, so that there is something to lose."""
    killed = []
    for _ in range(KILLS):
        before, patience = len(told.files), time.monotonic() + 30
        if dice.random() >= IN_HASTE:
            while len(told.files) == before and time.monotonic() < patience:
                processes.tend()
                time.sleep(0.05)
        time.sleep(dice.uniform(0, 1.5))
        killed.append(dice.choice(TARGETS))
        processes.kill(killed[-1], dice)
    return killed


def settle(processes: Processes, database: Database, world: World) -> None:
    """Wait until the worker has checked everything."""
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline:
        processes.tend()
        with bound(world.scope), database.session() as session:
            left = session.scalar(
                sa.select(sa.func.count())
                .select_from(Delivery)
                .where(Delivery.check_state == CheckState.PENDING)
            )
        if not left:
            return
        time.sleep(1)
    raise AssertionError(f"{left} files were never checked")


def sweep(database: Database, world: World) -> None:
    """Two days later: abandoned uploads, and bytes without a row."""
    with clock.frozen(clock.now() + timedelta(days=2)):
        for chore in background.chores(database, world.company_id):
            if chore.name == "sweep abandoned uploads":
                chore.run()
        walker = orphans.OrphanSweep(storage(), system_actor(world.company_id))
        with bound(world.scope), database.session() as session:
            found = walker.step(session)
            session.commit()
        walker.remove(found)


# Connections are broken on purpose, and die where they are.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.slow
def test_nothing_acknowledged_is_lost_or_twice() -> None:
    """100 kills: 0 acknowledged files lost, 0 twice, 0 orphans after the sweeps."""
    dice = random.Random()
    told, stop = Acknowledged(), threading.Event()
    with place() as (processes, database, world, (request_id,)):
        email = world.vendors[0].email(Role.OFFICE)
        senders = [
            threading.Thread(
                target=send_on,
                args=(number, processes, email, request_id, stop, told),
                daemon=True,
            )
            for number in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        try:
            while not told.files:
                time.sleep(0.2)
            killed = kill_on(processes, told, dice)
        finally:
            stop.set()
        for sender in senders:
            sender.join(180)
            assert not sender.is_alive(), "a file was never acknowledged"
        database.dispose()
        settle(processes, database, world)
        processes.stop()
        sweep(database, world)
        with bound(world.scope), database.session() as session:
            rows = session.execute(
                # A file that was sent again after a lost answer has two uploads and one delivery.
                sa.select(Delivery.id, Delivery.sha256, StoredFile.storage_key).join(
                    StoredFile,
                    sa.and_(
                        StoredFile.tenant_id == Delivery.tenant_id,
                        StoredFile.id == Delivery.file_id,
                    ),
                )
            ).all()
            named = set(
                session.scalars(sa.union_all(*orphans.NAMED_BY)),
            )
        kept = {key for key, _moment in storage().keys()}  # noqa: SIM118 - not a dictionary
        by_hash = {row.sha256: str(row.id) for row in rows}
        assert by_hash == told.files, "lost, or there without having been acknowledged"
        assert len(rows) == len(told.files), "twice"
        for row in rows:
            with storage().open(row.storage_key) as body:
                assert hashlib.sha256(body.read()).hexdigest() == row.sha256
        assert kept <= named, "bytes without a row"
        assert not list(storage().unfinished()), "parts without a row"
        assert len(told.files) >= 3 * KILLS, "too few files to say anything"
    sys.stdout.write(
        f"\n{len(told.files)} files acknowledged, {TOGETHER} at a time; {told.broken} of"
        f" {told.tries} tries broken; killed: "
        + ", ".join(f"{name} {killed.count(name)}" for name in sorted(set(killed)))
        + "\n"
    )
