"""What goes on beside uploads: ranges of files, other pages, a database that is closed."""

from __future__ import annotations

import os
import re
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.desk import Desk, File
from benchmarks.place import HOST, Place
from benchmarks.report import Figure
from benchmarks.serving import Browser, Server, serving
from benchmarks.upload_large import GIB, MIB, make, seconds
from benchmarks.upload_world import World
from devserver.demo import THREADS
from portal.files.parts import part_of
from tests.factories.world import PASSWORD

SLOW, SLOW_BYTES, DASHBOARDS = 100, 2_048, 150
RANGE_AT, RANGE_LENGTH, RANGES = 1_000_000_000, 100_000, 200


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


def without_database(here: Place, desk: Desk, world: World, folder: Path) -> Iterator[Figure]:
    """A part is taken while the database is closed to everybody."""
    file = make(folder / "small.bin", 4 * MIB)
    named = File(f"{world.numbers[12]}_催收录音.wav", file.path, file.size)
    (found,) = desk.match([named])
    (ticket,) = desk.start([(named, found["item_id"])])
    with _closed(here):
        took = 1000 * seconds(lambda: desk.send_parts(ticket, named))
    yield Figure("a part of 4 MiB while the database is closed", took, "ms", note="taken")


def ranges(desk: Desk, server: Server, world: World, folder: Path) -> Iterator[Figure]:
    """100 kB from the middle of a large file, through the portal with all its checks, beside a page
    of bare Flask under the same gunicorn."""
    source = make(folder / "large.bin", GIB)
    named = File(f"{world.numbers[-1]}_催收录音.wav", source.path, GIB)
    (found,) = desk.match([named])
    (ticket,) = desk.start([(named, found["item_id"])])
    desk.send_parts(ticket, named)
    (done,) = desk.complete([ticket])
    cookie = "; ".join(f"{k}={v}" for k, v in desk.browser.cookies.items())
    last = RANGE_AT + RANGE_LENGTH - 1
    asked = (
        f"GET {desk.base}/files/{done['delivery_id']} HTTP/1.1\r\nHost: {HOST}:{server.port}\r\n"
        f"Cookie: {cookie}\r\nRange: bytes={RANGE_AT}-{last}\r\n\r\n"
    )
    before = server.cpu()
    whole = _answered(server.port, asked, b" 206 ")
    spent = 1000 * (server.cpu() - before) / RANGES
    with serving("benchmarks.bare:app", os.environ) as bare:
        page = _answered(bare.port, f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n", b" 200 ")
    peer = "a page of bare Flask"
    note = f"signed in, median of {RANGES}; {spent:.2f} ms of CPU; {peer}: {page:.2f} ms"
    yield Figure("100 kB at 1 GB into a file", whole, "ms", 3, False, note, peer, whole / page)


def _answered(port: int, asked: str, status: bytes) -> float:
    """Median milliseconds until the same request on one kept connection is answered whole."""
    times = []
    with socket.create_connection((HOST, port)) as line:
        for _ in range(RANGES):
            began = time.perf_counter()
            line.sendall(asked.encode())
            got = b""
            while b"\r\n\r\n" not in got:
                got += line.recv(1 << 17)
            head, _, body = got.partition(b"\r\n\r\n")
            assert status in head.split(b"\r\n")[0], head
            told = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            assert told
            left = int(told[1]) - len(body)
            while left:
                left -= len(line.recv(1 << 17))
            times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)


def slow(desk: Desk, server: Server, world: World) -> Iterator[Figure]:
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
    times = sorted(seconds(lambda: browser.get("/")) for _ in range(DASHBOARDS))
    return 1000 * times[int(0.95 * DASHBOARDS)]
