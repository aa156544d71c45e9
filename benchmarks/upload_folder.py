"""A folder of 500 small files: sent by plain sockets, and dropped in a real browser."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.desk import Desk, File, Line
from benchmarks.dropping import desk_page, drop_and_send
from benchmarks.report import Figure
from benchmarks.serving import Server
from benchmarks.upload_world import FIRST, FIRST_DROPPED, FOLDER_FILES

FOLDER_SIZE, LINES = 200_000, 4


def _files(folder: Path, first: int) -> list[File]:
    """Files named after the cases from `first` on."""
    dice = random.Random(first)
    folder.mkdir()
    made = []
    for at in range(FOLDER_FILES):
        path = folder / f"HC-{first + at:05d}_催收录音.wav"
        path.write_bytes(dice.randbytes(FOLDER_SIZE))
        made.append(File(path.name, path, FOLDER_SIZE))
    return made


def sent(desk: Desk, folder: Path) -> Iterator[Figure]:
    """The folder as plain requests: looked up, then sent on four connections."""
    files = _files(folder / "sent", FIRST)
    began = time.perf_counter()
    found = desk.match(files)
    took = time.perf_counter() - began
    assert all(one["status"] == "matched" for one in found), found[0]
    yield Figure("500 files: matched", took, "s", 1, note="the server's part: one request")
    items = [one["item_id"] for one in found]
    began = time.perf_counter()
    _send_folder(desk, list(zip(files, items, strict=True)))
    took = time.perf_counter() - began
    rate = FOLDER_FILES / took
    yield Figure("500 files of 200 kB: sent", rate, "files/s", 50, True, "by sockets; delivered")


def dropped(desk: Desk, server: Server, folder: Path) -> Iterator[Figure]:
    """The folder as people do it: dragged onto the desk in Chromium, then "send"."""
    _files(folder / "dropped", FIRST_DROPPED)
    before = server.cpu()
    with desk_page(server.port, desk.base, desk.browser.cookies) as page:
        shown, took = drop_and_send(page, folder / "dropped", FOLDER_FILES)
    spent = 1000 * (server.cpu() - before) / FOLDER_FILES
    note = "from the drop to the frame that shows all rows"
    yield Figure("500 files dropped in Chromium: shown with their match", shown, "s", 1, note=note)
    note = f"until all are shown as delivered; {spent:.1f} ms of server CPU each"
    rate = FOLDER_FILES / took
    yield Figure("500 files of 200 kB sent by Chromium", rate, "files/s", 50, True, note)


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
