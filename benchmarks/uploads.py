"""Uploads beside what the machine's own tools take for the same bytes, in one run, as ratios.

python -m benchmarks uploads [--json FILE] [--keep]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from benchmarks.desk import Desk, File, Line
from benchmarks.place import HOST, Place, opened
from benchmarks.report import Figure, table
from benchmarks.serving import THREADS, Browser, Server, serving
from portal.app import provision
from portal.app.factory import open_database
from portal.files.parts import part_of
from portal.kernel import settings as settings_module
from portal.kernel.access import Role
from tenants.scope import bound
from tests.factories import world as world_factory
from tests.factories.materials import add_request
from tests.factories.world import PASSWORD

GIB = 1 << 30
MIB = 1 << 20
ROUNDS = 3
AT_ONCE, EACH = 8, 256 * MIB
FOLDER_FILES, FOLDER_SIZE, LINES = 500, 200_000, 4
SLOW, SLOW_BYTES, DASHBOARDS = 100, 2_048, 150
RANGE_AT, RANGE_LENGTH, RANGES = 1_000_000_000, 100_000, 60
DATABASE = "uploads_bench"


@dataclass(frozen=True)
class World:
    """Who sends what where."""

    email: str
    large: UUID
    folder: UUID
    numbers: Sequence[str]


def _world(here: Place) -> World:
    """A fresh database: one company, three vendors, two requests of the first one."""
    provision.bootstrap(here.settings)
    provision.migrate(here.settings)
    database = open_database(here.settings)
    try:
        world = world_factory.build(database)
        vendor = world.vendors[0]
        with bound(world.scope), database.session() as session:
            large = add_request(session, world, vendor, cases=20)
            folder = add_request(session, world, vendor, cases=FOLDER_FILES, first=100)
            large_id, folder_id = large.id, folder.id
        numbers = [f"HC-{number:05d}" for number in range(1, 20)]
        return World(vendor.email(Role.OFFICE), large_id, folder_id, numbers)
    finally:
        database.dispose()


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _peak(pid: int) -> float:
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def _reset_peak(pid: int) -> float:
    """Forget the highest memory so far; returns the present one, in MiB."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _peak(pid)


def _make(path: Path, size: int) -> File:
    dice = random.Random(size)
    with path.open("wb") as sink:
        for _ in range(size // MIB):
            sink.write(dice.randbytes(MIB))
    return File(path.name, path, size)


# --- one large file ------------------------------------------------------------------------------


def _tools(file: File, folder: Path) -> tuple[float, float]:
    """Seconds of `cp` and of `openssl dgst -sha256` for the file, the medians of some rounds."""
    copy = folder / "copy"
    cp = [_seconds(lambda: subprocess.run(["cp", file.path, copy], check=True))]
    digest = []
    hashing = ["openssl", "dgst", "-sha256", str(file.path)]
    for _ in range(ROUNDS):
        copy.unlink(missing_ok=True)
        os.sync()
        cp.append(_seconds(lambda: subprocess.run(["cp", file.path, copy], check=True)))

        digest.append(_seconds(lambda: subprocess.run(hashing, check=True, capture_output=True)))
    copy.unlink()
    return statistics.median(cp[1:]), statistics.median(digest)


def _large(desk: Desk, server: Server, world: World, folder: Path) -> Iterator[Figure]:
    """1 GiB over loopback to the local disk."""
    file = _make(folder / "large.bin", GIB)
    safe, known, against = [], [], []
    growth = 0.0
    for round_ in range(ROUNDS):
        cp, digest = _tools(file, folder)
        against.append(max(cp, digest))
        named = File(f"{world.numbers[round_]}_催收录音.wav", file.path, file.size)
        (found,) = desk.match([named])
        os.sync()
        before = _reset_peak(server.workers[0])
        began = time.perf_counter()
        (ticket,) = desk.start([(named, found["item_id"])])
        desk.send_parts(ticket, named)
        safe.append(time.perf_counter() - began)
        desk.complete([ticket])
        known.append(time.perf_counter() - began)
        growth = max(growth, _peak(server.workers[0]) - before)
    base = statistics.median(against)
    tools = "the larger of cp and openssl dgst -sha256"
    told = f"{tools}: {base:.2f} s"
    value, ratio = statistics.median(safe), statistics.median(safe) / base
    yield Figure("1 GiB: bytes safe on the disk", value, "s", 2 * base, False, told, tools, ratio)
    yield Figure("its ratio (aim 1.5)", ratio, "×", 2)
    value, ratio = statistics.median(known), statistics.median(known) / base
    yield Figure("1 GiB: SHA-256 known", value, "s", 3.5 * base, False, told, tools, ratio)
    yield Figure("its ratio (aim 2)", ratio, "×", 3.5)
    yield Figure("memory of the web process while it came", growth, "MiB", 16, note="growth")


def _several(desk: Desk, server: Server, world: World, folder: Path) -> Iterator[Figure]:
    """Eight files at once, beside eight copies at once."""
    file = _make(folder / "each.bin", EACH)
    names = [f"{number}_催收录音.wav" for number in world.numbers[ROUNDS : ROUNDS + AT_ONCE]]
    files = [File(name, file.path, EACH) for name in names]
    copies = [folder / f"copy-{at}" for at in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        os.sync()

        def copy(target: Path) -> None:
            subprocess.run(["cp", file.path, target], check=True)

        cp = _seconds(lambda: list(pool.map(copy, copies)))
        for each in copies:
            each.unlink()
        items = [found["item_id"] for found in desk.match(files)]
        tickets = desk.start(list(zip(files, items, strict=True)))
        for ticket in tickets:
            while len(ticket["addresses"]) < ticket["parts"]:
                rest = [
                    n for n in range(1, ticket["parts"] + 1) if str(n) not in ticket["addresses"]
                ]
                ticket["addresses"] |= desk.addresses(ticket, rest[:25])
        os.sync()
        before = _reset_peak(server.workers[0])
        took = _seconds(lambda: list(pool.map(desk.send_parts, tickets, files)))
        growth = _peak(server.workers[0]) - before
        desk.complete(tickets)
    note = f"8 cp of the same files at once: {cp:.2f} s"
    yield Figure(
        "8 files of 256 MiB at once: bytes safe",
        took,
        "s",
        note=note,
        compared_with="8 cp of the same files at once",
        ratio=took / cp,
    )
    yield Figure("its ratio", took / cp, "×")
    rate = AT_ONCE * EACH / MIB / took
    yield Figure("its rate", rate, "MiB/s", note=f"memory grew by {growth:.1f} MiB")


# --- what else -----------------------------------------------------------------------------------


@contextmanager
def _closed(here: Place) -> Iterator[None]:
    """The database lets nobody in, and whoever was in is out."""
    name = sql.Identifier(here.database)
    with psycopg.connect(here.admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("alter database {} allow_connections false").format(name))
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
            (here.database,),
        )
        try:
            yield
        finally:
            connection.execute(sql.SQL("alter database {} allow_connections true").format(name))


def _without_database(here: Place, desk: Desk, world: World, folder: Path) -> Iterator[Figure]:
    """A part is taken while the database is closed to everybody."""
    file = _make(folder / "small.bin", 4 * MIB)
    named = File(f"{world.numbers[12]}_催收录音.wav", file.path, file.size)
    (found,) = desk.match([named])
    (ticket,) = desk.start([(named, found["item_id"])])
    with _closed(here):
        took = 1000 * _seconds(lambda: desk.send_parts(ticket, named))
    yield Figure("a part of 4 MiB while the database is closed", took, "ms", note="taken")


def _range(desk: Desk, server: Server, world: World, folder: Path) -> Iterator[Figure]:
    """100 kB from the middle of a large file, through the portal with all its checks."""
    file = File(f"{world.numbers[0]}_催收录音.wav", folder / "large.bin", GIB)
    (found,) = desk.match([file])
    (ticket,) = desk.start([(File("again.wav", file.path, GIB), found["item_id"])])
    desk.send_parts(ticket, file)
    (done,) = desk.complete([ticket])
    path = f"{desk.base}/files/{done['delivery_id']}"
    cookie = "; ".join(f"{k}={v}" for k, v in desk.browser.cookies.items())
    times = []
    with socket.create_connection((HOST, server.port)) as line:
        asked = (
            f"GET {path} HTTP/1.1\r\nHost: {HOST}:{server.port}\r\nCookie: {cookie}\r\n"
            f"Range: bytes={RANGE_AT}-{RANGE_AT + RANGE_LENGTH - 1}\r\n\r\n"
        ).encode()
        for _ in range(RANGES):
            began = time.perf_counter()
            line.sendall(asked)
            got = b""
            while b"\r\n\r\n" not in got:
                got += line.recv(1 << 17)
            head, _, body = got.partition(b"\r\n\r\n")
            assert b" 206 " in head.split(b"\r\n")[0], head
            left = RANGE_LENGTH - len(body)
            while left:
                left -= len(line.recv(1 << 17))
            times.append(time.perf_counter() - began)
    whole = 1000 * statistics.median(times)
    yield Figure("100 kB at 1 GB into a file", whole, "ms", 3, note="signed in, median of 60")


def _folder(desk: Desk, folder: Path) -> Iterator[Figure]:
    """500 files of 200 kB, dropped as a folder: looked up, then sent on four connections."""
    dice = random.Random(5)
    files = []
    for at in range(FOLDER_FILES):
        path = folder / f"HC-{100 + at:05d}_催收录音.wav"
        path.write_bytes(dice.randbytes(FOLDER_SIZE))
        files.append(File(path.name, path, FOLDER_SIZE))
    began = time.perf_counter()
    found = desk.match(files)
    took = time.perf_counter() - began
    assert all(one["status"] == "matched" for one in found), found[0]
    yield Figure("500 files: matched", took, "s", 1, note="one request; the page shows them then")
    items = [one["item_id"] for one in found]
    began = time.perf_counter()
    _send_folder(desk, list(zip(files, items, strict=True)))
    took = time.perf_counter() - began
    yield Figure("500 files of 200 kB: sent", FOLDER_FILES / took, "files/s", 50, True, "delivered")


def _send_folder(desk: Desk, files: Sequence[tuple[File, str]]) -> None:
    """As the page does it: tickets of 50 ahead, four lines, completed in batches meanwhile."""
    local = threading.local()
    lock = threading.Lock()

    def send(job: tuple[dict[str, Any], File]) -> None:
        if not hasattr(local, "line"):
            local.line = Line(desk.port)
        ticket, file = job
        with file.path.open("rb") as source:
            local.line.put(ticket["addresses"]["1"], source, 0, file.size)

    def batch(some: Sequence[tuple[File, str]], pool: ThreadPoolExecutor) -> list[dict[str, Any]]:
        with lock:
            tickets = desk.start(some)
        list(pool.map(send, zip(tickets, [file for file, _item in some], strict=True)))
        return tickets

    with ThreadPoolExecutor(LINES) as pool, ThreadPoolExecutor(1) as ends:
        pending = []
        for at in range(0, len(files), 50):
            tickets = batch(files[at : at + 50], pool)

            def end(done: list[dict[str, Any]] = tickets) -> None:
                with lock:
                    desk.complete(done)

            pending.append(ends.submit(end))
        for one in pending:
            one.result()


def _slow(desk: Desk, server: Server, world: World) -> Iterator[Figure]:
    """A hundred people on bad lines, and one who looks at the dashboard."""
    browser = Browser(server.port)
    browser.sign_in(world.email, PASSWORD)
    for _ in range(10):
        browser.get("/")
    quiet = _p95(browser)
    size = 8 * MIB
    found = desk.match([File(f"{number}_催收录音.wav", Path(), size) for number in world.numbers])
    item = next(one["item_id"] for one in found if one["item_id"])
    files = [(File(f"slow-{at}.wav", Path(), size), item) for at in range(SLOW)]
    tickets = desk.start(files)
    lines = []
    for ticket in tickets:
        line = socket.create_connection((HOST, server.port))
        length = part_of(size, 1).length
        line.sendall(
            f"PUT {ticket['addresses']['1']} HTTP/1.1\r\nHost: {HOST}\r\n"
            f"Content-Length: {length}\r\n\r\n".encode()
        )
        lines.append(line)
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.1):
            for line in lines:
                line.sendall(bytes(SLOW_BYTES))

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        time.sleep(1)
        busy = _p95(browser)
    finally:
        stop.set()
        thread.join()
        for line in lines:
            line.close()
    note = f"{quiet:.0f} ms without them; {THREADS} threads"
    yield Figure("dashboard's p95 during 100 slow uploads", busy, "ms", 100, note=note)


def _p95(browser: Browser) -> float:
    times = sorted(_seconds(lambda: browser.get("/")) for _ in range(DASHBOARDS))
    return 1000 * times[int(0.95 * DASHBOARDS)]


# --- all of it -----------------------------------------------------------------------------------


def measure(here: Place, folder: Path) -> Iterator[Figure]:
    """Every figure, as it is measured."""
    world = _world(here)
    with serving("wsgi:app", here.environ) as server:
        desk = Desk(server.port, world.large, world.email, PASSWORD)
        yield from _large(desk, server, world, folder)
        yield from _several(desk, server, world, folder)
        yield from _range(desk, server, world, folder)
        yield from _folder(Desk(server.port, world.folder, world.email, PASSWORD), folder)
        yield from _slow(desk, server, world)
        yield from _without_database(here, desk, world, folder)


def main(arguments: Sequence[str]) -> int:
    """Run everything; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="bin/bench uploads", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    chosen = parser.parse_args(arguments)
    with opened(DATABASE) as here:
        _drop(here)
        settings_module.install(here.settings)
        data = Path(here.settings.data_dir)
        data.mkdir(parents=True, exist_ok=True)
        figures = []
        with tempfile.TemporaryDirectory(dir=data) as folder:
            try:
                for figure in measure(here, Path(folder)):
                    figures.append(figure)
                    print(f"    {figure.name}: {figure.value:.2f} {figure.unit}", flush=True)
            finally:
                _drop(here)
                shutil.rmtree(data / "files", ignore_errors=True)
    load = os.getloadavg()[0]
    print(f"\n{os.cpu_count()} cores, load {load:.1f}, {platform.machine()}\n\n{table(figures)}")
    if chosen.json:
        body = {
            "cores": os.cpu_count(),
            "load": load,
            "figures": [one.as_json() for one in figures],
        }
        chosen.json.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n")
    return 1 if any(figure.held is False for figure in figures) else 0


def _drop(here: Place) -> None:
    with psycopg.connect(here.admin_url, autocommit=True) as connection:
        name = sql.Identifier(here.database)
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))
