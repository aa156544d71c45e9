"""The environment variables that the portal's processes get from the commands in ``bin/``."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def variables(
    kind: str, folder: Path, database_url: str, given: Mapping[str, str], **more: str
) -> dict[str, str]:
    """Return the environment of the portal's processes.

    ``kind`` is PORTAL_ENV. Keys are made once and kept in ``folder``, as are files and the
    database's passwords. What the caller's own environment sets (``given``) goes first, except
    for the kind and the database.
    """
    defaults = {
        "PORTAL_SECRET_KEY_FILE": str(_key(folder / "secret.key")),
        "PORTAL_MASTER_KEY_FILE": str(_key(folder / "master.key")),
        "PORTAL_DB_PASSWORDS": str(folder / "db-passwords.json"),
        "PORTAL_DATA_DIR": str(folder / "files"),
        **more,
    }
    for name in ("PORTAL_SECRET_KEY", "PORTAL_MASTER_KEY"):
        if given.get(name):
            del defaults[f"{name}_FILE"]
    return {**defaults, **given, "PORTAL_ENV": kind, "DATABASE_URL": database_url}


def _key(path: Path) -> Path:
    """Return a file with 32 random bytes in base64 that only its owner can read."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.new")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)) + b"\n")
        unfinished.rename(path)
    return path
