"""The folder of a server's Unix socket: beside its data, or a short one where that is too long."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from devserver.carrier import Account, ServerError, give

PORT = 5432
# sun_path holds 108 bytes with its closing NUL.
_PATH_LIMIT = 107


def prepare(folder: Path, note: Path, account: Account | None) -> Path:
    """Return a folder for the socket that belongs to the server's user.

    ``folder`` is used if the socket's whole path fits. Else a short folder is made, new at each
    start, since in /tmp nobody else may have laid it out; ``note`` remembers it for ``discard``.

    Raises ServerError when even the short folder's path is too long.
    """
    discard(note)
    if _fits(folder):
        if not folder.exists():
            folder.mkdir(mode=0o700)
            give(folder, account)
        return folder
    # A person's run-time folder is closed to the user that root's server runs as.
    runtime = None if account else os.environ.get("XDG_RUNTIME_DIR")
    parent = runtime if runtime and Path(runtime).is_dir() else "/tmp"  # noqa: S108
    short = Path(tempfile.mkdtemp(prefix="portal-pg-", dir=parent))
    if not _fits(short):
        short.rmdir()
        raise ServerError(f"{short} is too long a path for a Unix socket; unset XDG_RUNTIME_DIR.")
    give(short, account)
    note.write_text(f"{short}\n")
    return short


def discard(note: Path) -> None:
    """Remove the short folder that ``note`` remembers, if there is one."""
    if note.exists():
        shutil.rmtree(note.read_text().strip(), ignore_errors=True)
        note.unlink()


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= _PATH_LIMIT
