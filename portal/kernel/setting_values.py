"""Text of an environment variable → a value, or ValueError saying what it must be.

Each parser's error completes the sentence "NAME must be …".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

Choice = TypeVar("Choice", bound=StrEnum)

MASTER_KEY_BYTES = 32
_POSTGRES_SCHEMES = {"postgres", "postgresql"}
_SMTP_SCHEMES = {"smtp", "smtps"}
_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off"}
_HOST = re.compile(r"\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d+)?|\[[0-9A-Fa-f:]+\](:\d+)?")
_SOCKET = re.compile(r"unix:/\S+|tcp://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,30}")


class SettingsError(Exception):
    """Settings are missing or wrong; ``problems`` holds one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        """Join the problems into one message for the terminal."""
        self.problems = problems
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(
            f"The settings cannot be used:\n{listed}\n"
            "Every setting is explained by: python -m portal.kernel.settings"
        )


def text(raw: str) -> str:
    """Any text."""
    return raw


def path(raw: str) -> Path:
    """A path of a file or folder; relative ones start at the current folder."""
    return Path(raw).expanduser().absolute()


def one_of(choices: type[Choice]) -> Callable[[str], Choice]:
    """Return the parser of an enumeration's values."""

    def parse(raw: str) -> Choice:
        try:
            return choices(raw.lower())
        except ValueError:
            raise ValueError(f"one of {', '.join(choices)}") from None

    return parse


def number(least: int, most: int) -> Callable[[str], int]:
    """Return the parser of a whole number within bounds, both included."""

    def parse(raw: str) -> int:
        if not raw.isascii() or not raw.isdecimal() or not least <= int(raw) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(raw)

    return parse


def socket_address(raw: str) -> str:
    """A service on a socket, or nothing."""
    if raw and not _SOCKET.fullmatch(raw):
        raise ValueError("unix:/path or tcp://host:port")
    return raw


def yes_or_no(raw: str) -> bool:
    """A switch."""
    if raw.lower() in _YES:
        return True
    if raw.lower() in _NO:
        return False
    raise ValueError("yes or no")


def optional_yes_or_no(raw: str) -> bool | None:
    """A switch that follows from other settings when it is left empty."""
    return yes_or_no(raw) if raw else None


def time_of_day(raw: str) -> time:
    """A Beijing clock time, to the minute."""
    match = re.fullmatch(r"(\d\d):(\d\d)", raw)
    try:
        return time(int(match[1]), int(match[2])) if match else time.fromisoformat(raw)
    except ValueError:
        raise ValueError("a time like 18:00") from None


def identifier(raw: str) -> str:
    """The start of a name in PostgreSQL that needs no quotes."""
    if not _IDENTIFIER.fullmatch(raw):
        raise ValueError("small letters, digits and _, beginning with a letter, 31 at most")
    return raw


def postgres_url(raw: str) -> str:
    """A PostgreSQL address, spelt so that libpq and SQLAlchemy both take it; empty is none."""
    if not raw:
        return ""
    parts = urlsplit(raw)
    known = parts.scheme.partition("+")[0] in _POSTGRES_SCHEMES
    if not known or "://" not in raw or not parts.path.strip("/"):
        raise ValueError("like postgresql://USER:PASSWORD@HOST:5432/DATABASE")
    return f"postgresql{raw[raw.index('://') :]}"


def web_address(raw: str) -> str:
    """A site's origin, without a path and the slash at its end."""
    parts = urlsplit(raw)
    path_or_more = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in {"http", "https"} or not parts.hostname or path_or_more:
        raise ValueError("like https://portal.example.com, with no path")
    return raw.rstrip("/")


def optional_web_address(raw: str) -> str:
    """A site's origin, or nothing."""
    return web_address(raw) if raw else ""


def smtp_url(raw: str) -> str:
    """A mail server's address, or nothing."""
    parts = urlsplit(raw)
    known = parts.scheme in _SMTP_SCHEMES and parts.hostname and not parts.path.strip("/")
    if raw and (not known or parts.query not in ("", "starttls=no")):
        raise ValueError("like smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST:465")
    return raw


def hosts(raw: str) -> tuple[str, ...]:
    """Host names, separated by commas; one that begins with a dot means all below it."""
    names = tuple(name.strip().lower() for name in raw.split(",") if name.strip())
    if not all(_HOST.fullmatch(name) for name in names):
        raise ValueError("host names separated by commas, like portal.example.com,.example.org")
    return names


def master_key(raw: str) -> bytes:
    """The key that wraps the tenants' data keys, as base64."""
    try:
        key = base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise ValueError(f"{MASTER_KEY_BYTES} bytes in base64 (make one: openssl rand -base64 32)")
    return key
