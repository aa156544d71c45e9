"""The database's login roles: their names, passwords and addresses.

Each login either has an address of its own, or follows from the administrator's address and a
file of passwords that only the portal's own user can read.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from portal.kernel.setting_values import SettingsError

LOGINS = ("owner", "vendor", "company", "signin", "public", "queue")


def role_name(explicit: Mapping[str, str], prefix: str, login: str) -> str:
    """Return a login's name in PostgreSQL."""
    user = urlsplit(explicit[login]).username if explicit[login] else None
    return unquote(user) if user else f"{prefix}_{login}"


def addresses(
    admin_url: str, explicit: Mapping[str, str], prefix: str, passwords: Path
) -> dict[str, str]:
    """Return the database address of every login in ``LOGINS``.

    Raises SettingsError when the file of passwords lacks one that is needed.
    """
    derived = [login for login in LOGINS if not explicit[login]]
    known = read_passwords(passwords) if derived else {}
    without = [login for login in derived if login not in known]
    if without:
        names = ", ".join(f"DATABASE_URL_{login.upper()}" for login in without)
        raise SettingsError(
            [
                f"{passwords} has no password for {', '.join(without)}: run "
                f"python -m portal.app.cli bootstrap-db, or set {names}."
            ]
        )
    return {
        login: explicit[login]
        or as_user(admin_url, role_name(explicit, prefix, login), known[login])
        for login in LOGINS
    }


def make_passwords(file: Path) -> dict[str, str]:
    """Return a password for every login, making and keeping (mode 0600) those that lack."""
    known = read_passwords(file)
    complete = {login: known.get(login) or secrets.token_urlsafe(32) for login in LOGINS}
    if complete != known:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_name(f"{file.name}.new")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump(complete, stream, indent=2)
        unfinished.replace(file)
    return complete


def read_passwords(file: Path) -> dict[str, str]:
    """Return the passwords kept so far, by login; none when there is no file yet.

    Raises SettingsError when the file cannot be read.
    """
    try:
        known = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError([f"{file} cannot be read: {error}."]) from None
    return {str(login): str(password) for login, password in known.items()}


def as_user(url: str, user: str, password: str) -> str:
    """Return an address with another user and password; host, database and options stay."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    query = f"?{parts.query}" if parts.query else ""
    # Put together by hand: urlunsplit would lose the empty host of a Unix socket.
    return (
        f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{place}{parts.path}{query}"
    )
