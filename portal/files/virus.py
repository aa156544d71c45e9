"""Have a file looked at by clamd, where one is configured, through its own protocol (INSTREAM).

"Not scanned" is a result of its own. It is what stands beside a file when no scanner is configured
or it does not answer; it is never shown as clean. Beyond its own MaxFileSize a clamd says "OK"
without having read on, so a larger file is not even sent.
"""

from __future__ import annotations

import logging
import re
import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

log = logging.getLogger(__name__)

_CHUNK = 1 << 17
_TIMEOUT = 120.0
_MOST_ANSWER = 4096
_HALF_READ = "Heuristics.Limits.Exceeded"
"""Said instead of "OK" where the scanner's AlertExceedsMax is set."""
_FOUND = re.compile(r"^stream: (?P<name>.{1,200}) FOUND$")
_TCP = re.compile(r"^tcp://(?P<host>[^:/]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})$")


class Scan(StrEnum):
    """What became of a scan."""

    CLEAN = "clean"
    FOUND = "found"
    NOT_SCANNED = "not_scanned"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The scanner's word. `name`: what it found; `why`: why nothing was scanned
    (`not_configured`, `unreachable`, `too_large`, `unclear`)."""

    scan: Scan
    name: str = ""
    why: str = ""


def scan(path: Path, address: str, most: int) -> Verdict:
    """Ask the clamd at `address` (`unix:/path` or `tcp://host:port`; empty: none) about a file,
    if it has at most `most` bytes: what the scanner reads whole.

    Never raises: a scanner that does not answer is said in the verdict and in the log.
    """
    if not address:
        return Verdict(Scan.NOT_SCANNED, why="not_configured")
    if path.stat().st_size > most:
        return Verdict(Scan.NOT_SCANNED, why="too_large")
    try:
        with _connected(address) as line:
            return _verdict(_ask(line, path))
    except OSError as error:
        log.warning("clamd did not answer: %s", type(error).__name__)
        return Verdict(Scan.NOT_SCANNED, why="unreachable")


def _connected(address: str) -> socket.socket:
    if address.startswith("unix:"):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(_TIMEOUT)
        try:
            line.connect(address.removeprefix("unix:"))
        except OSError:
            line.close()
            raise
        return line
    found = _TCP.match(address)
    if found is None:
        raise OSError("no address of a scanner")
    host = found["host"].strip("[]")
    return socket.create_connection((host, int(found["port"])), timeout=_TIMEOUT)


def _ask(line: socket.socket, path: Path) -> str:
    """Send the file in chunks and read the answer; clamd breaks off beyond its own limit."""
    try:
        line.sendall(b"zINSTREAM\0")
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                line.sendall(struct.pack("!I", len(chunk)) + chunk)
        line.sendall(struct.pack("!I", 0))
    except (BrokenPipeError, ConnectionResetError):
        log.warning("clamd broke a scan off")
    answer = b""
    while len(answer) < _MOST_ANSWER and (part := line.recv(_MOST_ANSWER)):
        answer += part
        if b"\0" in part:
            break
    return answer.split(b"\0")[0].decode("utf-8", "replace").strip()


def _verdict(answer: str) -> Verdict:
    if answer == "stream: OK":
        return Verdict(Scan.CLEAN)
    found = _FOUND.match(answer)
    if found and found["name"].startswith(_HALF_READ):
        return Verdict(Scan.NOT_SCANNED, why="too_large")
    if found:
        return Verdict(Scan.FOUND, name=found["name"])
    large = "size limit exceeded" in answer
    return Verdict(Scan.NOT_SCANNED, why="too_large" if large else "unclear")
