"""A real clamd with one signature of our own, where one is installed: `bin/test -m slow -k clamd`.

It needs Debian's clamav-daemon; no signatures are downloaded.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from portal.files.virus import Scan, Verdict, scan
from tests.files.test_virus import EICAR
from tests.ports import free_port

CLAMD = shutil.which("clamd")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CLAMD is None, reason="clamd is not installed (apt install clamav-daemon)"),
]
MIB = 1 << 20
ALL = 1 << 30
TOO_LARGE = Verdict(Scan.NOT_SCANNED, why="too_large")


@contextmanager
def _running(folder: Path, port: int, *more: str) -> Iterator[str]:
    """A clamd that knows EICAR, on a socket and on a port; its unix address."""
    (folder / "db").mkdir(parents=True)
    (folder / "db" / "own.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
    lines = (
        f"DatabaseDirectory {folder}/db",
        f"LocalSocket {folder}/sock",
        f"TCPSocket {port}",
        "TCPAddr 127.0.0.1",
        "Foreground yes",
        *more,
    )
    (folder / "clamd.conf").write_text("\n".join(lines) + "\n")
    with (folder / "out").open("wb") as out:
        daemon = subprocess.Popen(
            [CLAMD or "", "-c", str(folder / "clamd.conf")], stdout=out, stderr=out
        )
    try:
        for _ in range(300):
            if (folder / "sock").exists() or daemon.poll() is not None:
                break
            time.sleep(0.1)
        assert (folder / "sock").exists(), (folder / "out").read_text()
        yield f"unix:{folder}/sock"
    finally:
        daemon.terminate()
        daemon.wait(30)


def _file(folder: Path, body: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(body)
    return path


def test_a_real_clamd(tmp_path: Path) -> None:
    """Clean, found, beyond its limit and stopped, by socket and by port."""
    port = free_port()
    with _running(tmp_path / "clamd", port, "StreamMaxLength 1M") as unix:
        for address in (unix, f"tcp://127.0.0.1:{port}"):
            assert scan(_file(tmp_path, b"harmless" * 9_000), address, ALL).scan is Scan.CLEAN
            found = scan(_file(tmp_path, EICAR), address, ALL)
            assert (found.scan, found.name[:20]) == (Scan.FOUND, "Eicar-Test-Signature")
            assert scan(_file(tmp_path, b"a" * MIB), address, ALL).scan is Scan.CLEAN
            for _ in range(20):
                assert scan(_file(tmp_path, b"a" * 3 * MIB), address, ALL) == TOO_LARGE
    stopped = scan(_file(tmp_path, EICAR), unix, ALL)
    assert stopped == Verdict(Scan.NOT_SCANNED, why="unreachable")


@pytest.mark.parametrize("alerts", ["no", "yes"])
def test_what_it_reads_in_part_is_not_called_clean(tmp_path: Path, alerts: str) -> None:
    """Beyond MaxFileSize a clamd says "OK" unasked: with the portal's own limit it is not asked;
    with AlertExceedsMax what it says is no virus."""
    limits = ("MaxFileSize 1M", "StreamMaxLength 10M", f"AlertExceedsMax {alerts}")
    with _running(tmp_path / "clamd", free_port(), *limits) as address:
        file = _file(tmp_path, b"Z" * 3 * MIB + EICAR)
        assert scan(file, address, MIB) == TOO_LARGE
        unasked = scan(file, address, ALL)
    assert unasked == (TOO_LARGE if alerts == "yes" else Verdict(Scan.CLEAN))
