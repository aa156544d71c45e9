"""Large files beside `cp` and `openssl`: bytes safe, hash known, memory, eight at once."""

from __future__ import annotations

import os
import random
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.desk import Desk, File
from benchmarks.report import Figure
from benchmarks.serving import Server
from benchmarks.upload_world import World

GIB = 1 << 30
MIB = 1 << 20
ROUNDS = 3
AT_ONCE, EACH = 8, 256 * MIB


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
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


def make(path: Path, size: int) -> File:
    """A file of `size` bytes that nothing compresses."""
    dice = random.Random(size)
    with path.open("wb") as sink:
        for _ in range(size // MIB):
            sink.write(dice.randbytes(MIB))
    return File(path.name, path, size)


# --- one large file ------------------------------------------------------------------------------


def _tools(file: File, folder: Path) -> tuple[float, float]:
    """Seconds of `cp` and of `openssl dgst -sha256` for the file, the medians of some rounds."""
    copy = folder / "copy"
    cp = [seconds(lambda: subprocess.run(["cp", file.path, copy], check=True))]
    digest = []
    hashing = ["openssl", "dgst", "-sha256", str(file.path)]
    for _ in range(ROUNDS):
        copy.unlink(missing_ok=True)
        os.sync()
        cp.append(seconds(lambda: subprocess.run(["cp", file.path, copy], check=True)))

        digest.append(seconds(lambda: subprocess.run(hashing, check=True, capture_output=True)))
    copy.unlink()
    return statistics.median(cp[1:]), statistics.median(digest)


def one(desk: Desk, server: Server, world: World, folder: Path) -> Iterator[Figure]:
    """1 GiB over loopback to the local disk."""
    file = make(folder / "large.bin", GIB)
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


def several(desk: Desk, server: Server, world: World, folder: Path) -> Iterator[Figure]:
    """Eight files at once, beside eight copies at once."""
    file = make(folder / "each.bin", EACH)
    names = [f"{number}_催收录音.wav" for number in world.numbers[ROUNDS : ROUNDS + AT_ONCE]]
    files = [File(name, file.path, EACH) for name in names]
    copies = [folder / f"copy-{at}" for at in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        os.sync()

        def copy(target: Path) -> None:
            subprocess.run(["cp", file.path, target], check=True)

        cp = seconds(lambda: list(pool.map(copy, copies)))
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
        took = seconds(lambda: list(pool.map(desk.send_parts, tickets, files)))
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
