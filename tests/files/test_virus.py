"""What clamd says is passed on; what it does not say is never "clean"."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from portal.files.virus import Scan, scan

MOST = 1 << 24
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def _read(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (part := line.recv(count - len(data))):
        data += part
    return data


def _serve(listener: socket.socket, limit: int) -> None:
    """One conversation by clamd's protocol: zINSTREAM, chunks with their length, an answer."""
    line, _address = listener.accept()
    with line:
        assert _read(line, 10) == b"zINSTREAM\0"
        body = b""
        while length := struct.unpack("!I", _read(line, 4))[0]:
            body += _read(line, length)
            if len(body) > limit:
                line.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
        found = b"stream: Eicar-Test-Signature FOUND\0" if EICAR in body else b"stream: OK\0"
        line.sendall(found)


@contextmanager
def clamd(folder: Path, *, limit: int = 1 << 24) -> Iterator[str]:
    path = folder / "clamd.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=_serve, args=(listener, limit), daemon=True)
        thread.start()
        yield f"unix:{path}"
        thread.join(10)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"harmless" * 40_000)
    return path


def test_clean(tmp_path: Path, file: Path) -> None:
    with clamd(tmp_path) as address:
        assert scan(file, address, MOST).scan is Scan.CLEAN


def test_found_across_chunks(tmp_path: Path, file: Path) -> None:
    with file.open("ab") as out:
        out.write(EICAR)
    with clamd(tmp_path) as address:
        verdict = scan(file, address, MOST)
    assert (verdict.scan, verdict.name) == (Scan.FOUND, "Eicar-Test-Signature")


def test_too_large_for_the_scanner_is_not_clean(tmp_path: Path, file: Path) -> None:
    with clamd(tmp_path, limit=1_000) as address:
        verdict = scan(file, address, MOST)
    assert verdict.scan is Scan.NOT_SCANNED
    assert verdict.why in ("too_large", "unreachable")


def test_beyond_what_the_scanner_reads_nothing_is_sent(tmp_path: Path, file: Path) -> None:
    """A clamd says "OK" of what it reads only in part: such a file never reaches it."""
    verdict = scan(file, f"unix:{tmp_path}/nobody", file.stat().st_size - 1)
    assert (verdict.scan, verdict.why) == (Scan.NOT_SCANNED, "too_large")
    assert scan(file, f"unix:{tmp_path}/nobody", file.stat().st_size).why == "unreachable"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "not_configured"),
        ("unix:/nowhere/clamd", "unreachable"),
        ("tcp://127.0.0.1:1", "unreachable"),
    ],
)
def test_without_a_scanner_nothing_is_clean(file: Path, address: str, why: str) -> None:
    verdict = scan(file, address, MOST)
    assert (verdict.scan, verdict.why) == (Scan.NOT_SCANNED, why)
