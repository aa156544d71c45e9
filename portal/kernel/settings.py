"""Every setting of the portal, in one place, from environment variables.

``python -m portal.kernel.settings`` prints them as a table. A process reads them once, at its
start, with ``install(Settings.from_env(os.environ))``; from then on ``settings()`` has them.
A secret is given as NAME, or as the path of a file that holds it in NAME_FILE.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from portal.kernel import database_logins
from portal.kernel import setting_values as values
from portal.kernel.database_logins import LOGINS
from portal.kernel.setting_values import SettingsError

__all__ = ["LOGINS", "Environment", "Settings", "SettingsError", "Storage", "install", "settings"]


_LEAST_SECRET_LENGTH = 32
_LEAST_DISTINCT = 10


class Environment(StrEnum):
    """What the installation is for; only production insists on HTTPS and strong keys."""

    PRODUCTION = "production"
    DEMO = "demo"
    TEST = "test"


class Storage(StrEnum):
    """Where uploaded and rendered files are kept."""

    LOCAL = "local"
    S3 = "s3"


class Signing(StrEnum):
    """Where the key is that signs papers."""

    NONE = "none"
    PEM = "pem"
    PKCS12 = "pkcs12"
    PKCS11 = "pkcs11"


class Setting(NamedTuple):
    """One setting: its variable, its default as text (None: required), meaning and parser."""

    name: str
    default: str | None
    sentence: str
    parse: Callable[[str], Any]
    secret: bool


def _setting(
    name: str,
    default: str | None,
    sentence: str,
    parse: Callable[[str], Any] = values.text,
    *,
    secret: bool = False,
) -> Any:
    """Declare a field of Settings; Any, because the parser makes the field's type."""
    declared = Setting(name, default, sentence, parse, secret)
    # What is secret stays out of tracebacks and logs.
    return field(repr=not secret, metadata={"setting": declared})


def _login(login: str, sentence: str) -> Any:
    """Declare the address of one of the database's logins."""
    return _setting(
        f"DATABASE_URL_{login}",
        "",
        f"The login that {sentence}",
        values.postgres_url,
        secret=True,
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a process; made by ``from_env``, never changed afterwards."""

    env: Environment = _setting(
        "PORTAL_ENV",
        "production",
        "What the installation is for: production, demo or test.",
        values.one_of(Environment),
    )

    # The database
    database_url: str = _setting(
        "DATABASE_URL",
        "",
        "PostgreSQL (16 or newer) as an administrator: makes the logins and the database, and "
        "the other logins' addresses follow from it. May be left out where all of those are set.",
        values.postgres_url,
        secret=True,
    )
    database_url_owner: str = _login("OWNER", "owns the tables; only migrations use it.")
    database_url_vendor: str = _login("VENDOR", "is vendors' people's: sees one tenant's rows.")
    database_url_company: str = _login("COMPANY", "is the company's people's.")
    database_url_signin: str = _login("SIGNIN", "sees accounts and sessions, nothing else.")
    database_url_public: str = _login("PUBLIC", "serves pages that need no sign-in.")
    database_url_queue: str = _login("QUEUE", "is the worker's dispatcher's.")
    db_passwords: Path = _setting(
        "PORTAL_DB_PASSWORDS",
        "var/db-passwords.json",
        "A file (mode 0600) with the passwords of the logins that have no address of their own; "
        "the command bootstrap-db makes it.",
        values.path,
    )
    db_role_prefix: str = _setting(
        "PORTAL_DB_ROLE_PREFIX",
        "portal",
        "The logins are called PREFIX_owner, PREFIX_vendor and so on.",
        values.identifier,
    )
    db_pool_size: int = _setting(
        "PORTAL_DB_POOL_SIZE",
        "8",
        "Connections that each process keeps open for each login.",
        values.number(4, 200),
    )
    db_prepare: bool = _setting(
        "PORTAL_DB_PREPARE",
        "yes",
        "Prepared statements; say no behind pgbouncer in transaction mode.",
        values.yes_or_no,
    )

    # Keys
    secret_key: str = _setting(
        "PORTAL_SECRET_KEY",
        None,
        "Signs cookies and form tokens; 32 random characters or more.",
        secret=True,
    )
    master_key: bytes = _setting(
        "PORTAL_MASTER_KEY",
        None,
        "32 random bytes in base64: wraps the tenants' data keys and derives the key that signs "
        "the journal's heads. Whoever loses it loses the encrypted data.",
        values.master_key,
        secret=True,
    )

    # Files
    data_dir: Path = _setting(
        "PORTAL_DATA_DIR",
        "var/data",
        "The folder of files kept on this machine (storage local, and work in progress).",
        values.path,
    )
    storage: Storage = _setting(
        "PORTAL_STORAGE",
        "local",
        "Where files are kept: local (PORTAL_DATA_DIR) or s3.",
        values.one_of(Storage),
    )
    s3_endpoint: str = _setting(
        "PORTAL_S3_ENDPOINT",
        "",
        "The S3 store's address, as browsers reach it; empty for Amazon's.",
        values.optional_web_address,
    )
    s3_region: str = _setting("PORTAL_S3_REGION", "us-east-1", "The S3 store's region.")
    s3_bucket: str = _setting("PORTAL_S3_BUCKET", "", "The bucket; it must exist.")
    s3_access_key: str = _setting(
        "PORTAL_S3_ACCESS_KEY", "", "The S3 store's access key.", secret=True
    )
    s3_secret_key: str = _setting(
        "PORTAL_S3_SECRET_KEY", "", "The S3 store's secret key.", secret=True
    )
    max_upload_mb: int = _setting(
        "PORTAL_MAX_UPLOAD_MB",
        "2048",
        "The largest file that may be uploaded, in MiB.",
        values.number(1, 102_400),
    )
    clamd: str = _setting(
        "PORTAL_CLAMD",
        "",
        "Where clamd listens (unix:/path or tcp://host:port); empty: files are not scanned, and "
        "the pages say so.",
        values.socket_address,
    )

    # The site
    base_url: str = _setting(
        "PORTAL_BASE_URL",
        "http://127.0.0.1:8000",
        "The address that people type; stands in mails, papers and feeds.",
        values.web_address,
    )
    trusted_hosts: tuple[str, ...] = _setting(
        "PORTAL_TRUSTED_HOSTS",
        "",
        "Host names that requests may carry, separated by commas; PORTAL_BASE_URL's when empty.",
        values.hosts,
    )
    proxy_hops: int = _setting(
        "PORTAL_PROXY_HOPS",
        "0",
        "How many reverse proxies of yours stand before the portal (nginx alone: 1).",
        values.number(0, 9),
    )
    cookie_secure: bool = _setting(
        "PORTAL_COOKIE_SECURE",
        "",
        "Send cookies over HTTPS only; when empty, as PORTAL_BASE_URL says.",
        values.optional_yes_or_no,
    )
    link_requests: int = _setting(
        "PORTAL_LINK_REQUESTS",
        "30",
        "Requests for one-time links that one address may make in a minute, in each process; an "
        "office behind one address counts as one.",
        values.number(5, 10_000),
    )

    # The company
    close_of_business: time = _setting(
        "PORTAL_CLOSE_OF_BUSINESS",
        "18:00",
        "When a working day ends, Beijing time: a deadline in working days falls due then.",
        values.time_of_day,
    )

    # Signing papers
    signing: Signing = _setting(
        "SIGNING",
        "none",
        "What signs papers: pem, pkcs12, pkcs11, or none (papers go out without an electronic "
        "signature). Only the worker reads the key.",
        values.one_of(Signing),
    )
    signing_certificate: Path = _setting(
        "SIGNING_CERTIFICATE",
        "var/signing/certificate.pem",
        "With pem: the company's certificate, then those above it.",
        values.path,
    )
    signing_key: Path = _setting(
        "SIGNING_KEY",
        "var/signing/key.pem",
        "With pem: the certificate's private key (ECDSA, or RSA of 2048 bits or more).",
        values.path,
    )
    signing_pkcs12: Path = _setting(
        "SIGNING_PKCS12",
        "var/signing/certificate.p12",
        "With pkcs12: the file with key and certificates.",
        values.path,
    )
    signing_password: str = _setting(
        "SIGNING_PASSWORD", "", "Opens the key or the PKCS#12 file; the token's PIN.", secret=True
    )
    signing_pkcs11: str = _setting(
        "SIGNING_PKCS11", "", "With pkcs11: the path of the token's module (a shared library)."
    )
    signing_pkcs11_token: str = _setting(
        "SIGNING_PKCS11_TOKEN", "", "With pkcs11: the token's label."
    )
    signing_pkcs11_key: str = _setting(
        "SIGNING_PKCS11_KEY", "", "With pkcs11: the label of the key and its certificate."
    )
    signing_trust: str = _setting(
        "SIGNING_TRUST",
        "",
        "Root certificates (PEM) that a check of our papers trusts; when empty, the end of the "
        "signing certificate's chain.",
    )
    tsa_url: str = _setting(
        "TSA_URL",
        "",
        "An RFC 3161 time stamp server; when empty, signatures carry our own clock only.",
        values.optional_web_address,
    )
    tsa_trust: str = _setting(
        "TSA_TRUST", "", "Root certificates (PEM) of the time stamp server, for checks."
    )

    # Mail
    smtp_url: str = _setting(
        "SMTP_URL",
        "",
        "The mail server: smtps://, or smtp:// with STARTTLS (add ?starttls=no for a server on a "
        "trusted network that has none). When empty, no mail is written; messages are in the "
        "portal.",
        values.smtp_url,
        secret=True,
    )
    mail_from: str = _setting(
        "PORTAL_MAIL_FROM", "", "The sender's address of mails; needed with SMTP_URL."
    )
    digest_at: time = _setting(
        "PORTAL_DIGEST_AT",
        "08:30",
        "When the daily digest is written on working days, Beijing time.",
        values.time_of_day,
    )

    @classmethod
    def declared(cls) -> tuple[Setting, ...]:
        """Return all settings in the order of this file."""
        return tuple(each.metadata["setting"] for each in fields(cls))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check all settings.

        Raises SettingsError with every problem, not just the first.
        """
        problems: list[str] = []
        found: dict[str, Any] = {}
        for each in fields(cls):
            try:
                found[each.name] = _read(each.metadata["setting"], environ)
            except ValueError as error:
                problems.append(str(error))
        if problems:
            raise SettingsError(problems)
        if found["cookie_secure"] is None:
            found["cookie_secure"] = found["base_url"].startswith("https://")
        found["trusted_hosts"] = found["trusted_hosts"] or (urlsplit(found["base_url"]).hostname,)
        made = cls(**found)
        problems = [*_incomplete(made), *_unsafe(made)]
        if problems:
            raise SettingsError(problems)
        return made

    @property
    def max_upload_bytes(self) -> int:
        """The largest file that may be uploaded, in bytes."""
        return self.max_upload_mb * 1024 * 1024

    def role(self, login: str) -> str:
        """Return the name in PostgreSQL of a login in ``LOGINS``."""
        return database_logins.role_name(self._explicit_urls(), self.db_role_prefix, login)

    def login_urls(self) -> dict[str, str]:
        """Return the database address of every login in ``LOGINS``.

        One that is not set follows from DATABASE_URL and the file of passwords. Raises
        SettingsError when that file lacks one that is needed.
        """
        return database_logins.addresses(
            self.database_url, self._explicit_urls(), self.db_role_prefix, self.db_passwords
        )

    def make_passwords(self) -> dict[str, str]:
        """Return a password for every login, kept from now on; for who makes the logins."""
        return database_logins.make_passwords(self.db_passwords)

    def _explicit_urls(self) -> dict[str, str]:
        return {login: getattr(self, f"database_url_{login}") for login in LOGINS}


def _read(setting: Setting, environ: Mapping[str, str]) -> Any:
    """Return one setting's value; raise ValueError with a whole sentence."""
    raw = environ.get(setting.name, "").strip()
    file = environ.get(f"{setting.name}_FILE", "").strip() if setting.secret else ""
    if file and raw:
        raise ValueError(f"{setting.name} and {setting.name}_FILE are both set; keep one.")
    if file:
        try:
            raw = Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{setting.name}_FILE cannot be read: {error}.") from None
    if not raw:
        if setting.default is None:
            raise ValueError(f"{setting.name} is missing. {setting.sentence}")
        raw = setting.default
    try:
        return setting.parse(raw)
    except ValueError as error:
        raise ValueError(f"{setting.name} must be {error}.") from None


def _incomplete(made: Settings) -> list[str]:
    """Name what other settings make necessary."""
    problems = []
    if not made.database_url and not all(getattr(made, f"database_url_{n}") for n in LOGINS):
        problems.append(
            "DATABASE_URL is missing. Set it, or the address of every login: "
            + ", ".join(f"DATABASE_URL_{login.upper()}" for login in LOGINS)
            + "."
        )
    if made.storage is Storage.S3:
        needed = {
            "PORTAL_S3_BUCKET": made.s3_bucket,
            "PORTAL_S3_ACCESS_KEY": made.s3_access_key,
            "PORTAL_S3_SECRET_KEY": made.s3_secret_key,
        }
        problems += [
            f"{name} is missing; storage s3 needs it." for name in needed if not needed[name]
        ]
    if made.signing is Signing.PKCS11:
        problems += [
            f"{name} is missing; signing pkcs11 needs it."
            for name, value in {
                "SIGNING_PKCS11": made.signing_pkcs11,
                "SIGNING_PKCS11_TOKEN": made.signing_pkcs11_token,
                "SIGNING_PKCS11_KEY": made.signing_pkcs11_key,
            }.items()
            if not value
        ]
    if made.tsa_url and made.signing is Signing.NONE:
        problems.append("TSA_URL is set, but SIGNING is none: there is nothing to stamp.")
    if made.smtp_url and "@" not in made.mail_from:
        problems.append("PORTAL_MAIL_FROM must be a mail address when SMTP_URL is set.")
    return problems


def _unsafe(made: Settings) -> list[str]:
    """Name what production refuses: keys that can be guessed, and cookies in the clear."""
    if made.env is not Environment.PRODUCTION:
        return []
    problems = []
    key = made.secret_key
    if len(key) < _LEAST_SECRET_LENGTH or len(set(key)) < _LEAST_DISTINCT:
        problems.append(
            f"PORTAL_SECRET_KEY is weak: it needs {_LEAST_SECRET_LENGTH} random characters "
            "(make one: openssl rand -base64 48)."
        )
    if len(set(made.master_key)) < _LEAST_DISTINCT:
        problems.append("PORTAL_MASTER_KEY is weak (make one: openssl rand -base64 32).")
    if not made.base_url.startswith("https://"):
        problems.append("PORTAL_BASE_URL must begin with https:// in production.")
    if not made.cookie_secure:
        problems.append("PORTAL_COOKIE_SECURE cannot be no in production.")
    return problems


class _Process:
    """What this process has installed."""

    installed: Settings | None = None


def install(chosen: Settings) -> None:
    """Make ``chosen`` this process's settings."""
    _Process.installed = chosen


def settings() -> Settings:
    """Return this process's settings.

    Raises RuntimeError when none were installed: the entry point forgot to.
    """
    if _Process.installed is None:
        raise RuntimeError("No settings yet: call install(Settings.from_env(os.environ)) first.")
    return _Process.installed


def table() -> str:
    """Return all settings as a Markdown table, for the documentation."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for setting in Settings.declared():
        default = "**required**" if setting.default is None else f"`{setting.default}`"
        name = f"`{setting.name}`" + (f" or `{setting.name}_FILE`" if setting.secret else "")
        rows.append(f"| {name} | {default if setting.default != '' else ''} | {setting.sentence} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
