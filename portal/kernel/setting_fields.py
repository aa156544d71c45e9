"""How a setting is declared, and what the variables that choose among a few may say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from portal.kernel import setting_values as values


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


def setting(
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


def login(name: str, sentence: str) -> Any:
    """Declare the address of one of the database's logins."""
    return setting(
        f"DATABASE_URL_{name}",
        "",
        f"The login that {sentence}",
        values.postgres_url,
        secret=True,
    )


def read(setting: Setting, environ: Mapping[str, str]) -> Any:
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
