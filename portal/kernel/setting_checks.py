"""What settings ask of each other: what one makes necessary, and what production refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.kernel.database_logins import LOGINS
from portal.kernel.setting_fields import Environment, Signing, Storage

if TYPE_CHECKING:
    from portal.kernel.settings import Settings

_LEAST_SECRET_LENGTH = 32
_LEAST_DISTINCT = 10


def incomplete(made: Settings) -> list[str]:
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


def unsafe(made: Settings) -> list[str]:
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
