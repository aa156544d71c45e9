"""Every setting of the portal, in one place, from environment variables.

``python -m portal.kernel.settings`` prints them as a table. A process reads them once, at its
start, with ``install(Settings.from_env(os.environ))``; from then on ``settings()`` has them.
A secret is given as NAME, or as the path of a file that holds it in NAME_FILE.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portal.kernel import database_logins
from portal.kernel import setting_values as values
from portal.kernel.database_logins import LOGINS
from portal.kernel.setting_checks import incomplete, unsafe
from portal.kernel.setting_fields import (
    Environment,
    Setting,
    Signing,
    Storage,
    login,
    read,
    setting,
)
from portal.kernel.setting_values import SettingsError

__all__ = [
    "LOGINS",
    "Environment",
    "Settings",
    "SettingsError",
    "Signing",
    "Storage",
    "install",
    "settings",
]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a process; made by ``from_env``, never changed afterwards."""

    env: Environment = setting(
        "PORTAL_ENV",
        "production",
        "What the installation is for: production, demo or test.",
        values.one_of(Environment),
    )

    # The database
    database_url: str = setting(
        "DATABASE_URL",
        "",
        "PostgreSQL (16 or newer) as an administrator: makes the logins and the database, and "
        "the other logins' addresses follow from it. May be left out where all of those are set.",
        values.postgres_url,
        secret=True,
    )
    database_url_owner: str = login("OWNER", "owns the tables; only migrations use it.")
    database_url_vendor: str = login("VENDOR", "is vendors' people's: sees one tenant's rows.")
    database_url_company: str = login("COMPANY", "is the company's people's.")
    database_url_signin: str = login("SIGNIN", "sees accounts and sessions, nothing else.")
    database_url_public: str = login("PUBLIC", "serves pages that need no sign-in.")
    database_url_queue: str = login("QUEUE", "is the worker's dispatcher's.")
    db_passwords: Path = setting(
        "PORTAL_DB_PASSWORDS",
        "var/db-passwords.json",
        "A file (mode 0600) with the passwords of the logins that have no address of their own; "
        "the command bootstrap-db makes it.",
        values.path,
    )
    db_role_prefix: str = setting(
        "PORTAL_DB_ROLE_PREFIX",
        "portal",
        "The logins are called PREFIX_owner, PREFIX_vendor and so on.",
        values.identifier,
    )
    db_pool_size: int = setting(
        "PORTAL_DB_POOL_SIZE",
        "8",
        "Connections that each process keeps open for each login.",
        values.number(4, 200),
    )
    db_prepare: bool = setting(
        "PORTAL_DB_PREPARE",
        "yes",
        "Prepared statements; say no behind pgbouncer in transaction mode.",
        values.yes_or_no,
    )

    # Keys
    secret_key: str = setting(
        "PORTAL_SECRET_KEY",
        None,
        "Signs cookies and form tokens; 32 random characters or more.",
        secret=True,
    )
    master_key: bytes = setting(
        "PORTAL_MASTER_KEY",
        None,
        "32 random bytes in base64: wraps the tenants' data keys and derives the key that signs "
        "the journal's heads. Whoever loses it loses the encrypted data.",
        values.master_key,
        secret=True,
    )

    # Files
    data_dir: Path = setting(
        "PORTAL_DATA_DIR",
        "var/data",
        "The folder of files kept on this machine (storage local, and work in progress).",
        values.path,
    )
    storage: Storage = setting(
        "PORTAL_STORAGE",
        "local",
        "Where files are kept: local (PORTAL_DATA_DIR) or s3.",
        values.one_of(Storage),
    )
    s3_endpoint: str = setting(
        "PORTAL_S3_ENDPOINT",
        "",
        "The S3 store's address, as browsers reach it; empty for Amazon's.",
        values.optional_web_address,
    )
    s3_region: str = setting("PORTAL_S3_REGION", "us-east-1", "The S3 store's region.")
    s3_bucket: str = setting("PORTAL_S3_BUCKET", "", "The bucket; it must exist.")
    s3_access_key: str = setting(
        "PORTAL_S3_ACCESS_KEY", "", "The S3 store's access key.", secret=True
    )
    s3_secret_key: str = setting(
        "PORTAL_S3_SECRET_KEY", "", "The S3 store's secret key.", secret=True
    )
    max_upload_mb: int = setting(
        "PORTAL_MAX_UPLOAD_MB",
        "2048",
        "The largest file that may be uploaded, in MiB.",
        values.number(1, 102_400),
    )
    clamd: str = setting(
        "PORTAL_CLAMD",
        "",
        "Where clamd listens (unix:/path or tcp://host:port); empty: files are not scanned, and "
        "the pages say so.",
        values.socket_address,
    )
    clamd_max_mb: int = setting(
        "PORTAL_CLAMD_MAX_MB",
        "25",
        "The largest file, in MiB, that clamd reads whole: the least of its StreamMaxLength, "
        "MaxFileSize and MaxScanSize. Larger files are not sent to it, and the pages say so.",
        values.number(1, 102_400),
    )

    # The site
    base_url: str = setting(
        "PORTAL_BASE_URL",
        "http://127.0.0.1:8000",
        "The address that people type; stands in mails, papers and feeds.",
        values.web_address,
    )
    trusted_hosts: tuple[str, ...] = setting(
        "PORTAL_TRUSTED_HOSTS",
        "",
        "Host names that requests may carry, separated by commas; PORTAL_BASE_URL's when empty.",
        values.hosts,
    )
    proxy_hops: int = setting(
        "PORTAL_PROXY_HOPS",
        "0",
        "How many reverse proxies of yours stand before the portal (nginx alone: 1).",
        values.number(0, 9),
    )
    cookie_secure: bool = setting(
        "PORTAL_COOKIE_SECURE",
        "",
        "Send cookies over HTTPS only; when empty, as PORTAL_BASE_URL says.",
        values.optional_yes_or_no,
    )
    signed_seconds: int = setting(
        "PORTAL_SIGNED_SECONDS",
        "30",
        "Seconds for which a process knows who is signed in without asking the database; what "
        "changes is told to it at once. With 0 every request asks.",
        values.number(0, 300),
    )
    link_requests: int = setting(
        "PORTAL_LINK_REQUESTS",
        "30",
        "Requests for one-time links that one address may make in a minute; an "
        "office behind one address counts as one.",
        values.number(5, 10_000),
    )
    attempt_days: int = setting(
        "PORTAL_ATTEMPT_DAYS",
        "30",
        "Days for which failed sign-ins are kept (digests of address and e-mail); then the worker "
        "takes them away.",
        values.number(1, 3_650),
    )

    # The company
    close_of_business: time = setting(
        "PORTAL_CLOSE_OF_BUSINESS",
        "18:00",
        "When a working day ends, Beijing time: a deadline in working days falls due then.",
        values.time_of_day,
    )

    # Signing papers
    signing: Signing = setting(
        "SIGNING",
        "none",
        "What signs papers: pem, pkcs12, pkcs11, or none (papers go out without an electronic "
        "signature). Only the worker reads the key.",
        values.one_of(Signing),
    )
    signing_certificate: Path = setting(
        "SIGNING_CERTIFICATE",
        "var/signing/certificate.pem",
        "With pem: the company's certificate, then those above it.",
        values.path,
    )
    signing_key: Path = setting(
        "SIGNING_KEY",
        "var/signing/key.pem",
        "With pem: the certificate's private key (ECDSA, or RSA of 2048 bits or more).",
        values.path,
    )
    signing_pkcs12: Path = setting(
        "SIGNING_PKCS12",
        "var/signing/certificate.p12",
        "With pkcs12: the file with key and certificates.",
        values.path,
    )
    signing_password: str = setting(
        "SIGNING_PASSWORD", "", "Opens the key or the PKCS#12 file; the token's PIN.", secret=True
    )
    signing_pkcs11: str = setting(
        "SIGNING_PKCS11", "", "With pkcs11: the path of the token's module (a shared library)."
    )
    signing_pkcs11_token: str = setting(
        "SIGNING_PKCS11_TOKEN", "", "With pkcs11: the token's label."
    )
    signing_pkcs11_key: str = setting(
        "SIGNING_PKCS11_KEY", "", "With pkcs11: the label of the key and its certificate."
    )
    signing_trust: str = setting(
        "SIGNING_TRUST",
        "",
        "Root certificates (PEM) that a check of our papers trusts; when empty, the end of the "
        "signing certificate's chain.",
    )
    tsa_url: str = setting(
        "TSA_URL",
        "",
        "An RFC 3161 time stamp server; when empty, signatures carry our own clock only.",
        values.optional_web_address,
    )
    tsa_trust: str = setting(
        "TSA_TRUST", "", "Root certificates (PEM) of the time stamp server, for checks."
    )

    # Mail
    smtp_url: str = setting(
        "SMTP_URL",
        "",
        "The mail server: smtps://, or smtp:// with STARTTLS (add ?starttls=no for a server on a "
        "trusted network that has none). When empty, no mail is written; messages are in the "
        "portal.",
        values.smtp_url,
        secret=True,
    )
    mail_from: str = setting(
        "PORTAL_MAIL_FROM", "", "The sender's address of mails; needed with SMTP_URL."
    )
    digest_at: time = setting(
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
                found[each.name] = read(each.metadata["setting"], environ)
            except ValueError as error:
                problems.append(str(error))
        if problems:
            raise SettingsError(problems)
        if found["cookie_secure"] is None:
            found["cookie_secure"] = found["base_url"].startswith("https://")
        found["trusted_hosts"] = found["trusted_hosts"] or (urlsplit(found["base_url"]).hostname,)
        made = cls(**found)
        problems = [*incomplete(made), *unsafe(made)]
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
    for each in Settings.declared():
        default = "**required**" if each.default is None else f"`{each.default}`"
        name = f"`{each.name}`" + (f" or `{each.name}_FILE`" if each.secret else "")
        rows.append(f"| {name} | {default if each.default != '' else ''} | {each.sentence} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
