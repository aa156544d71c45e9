"""What holds of people and their roles, without a database (rules A1, A2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from portal.kernel.access import COMPANY_ROLES, VENDOR_ROLES, Role
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.phrases import phrase

MIN_PASSWORD = 12
MOST_NAME = 80
MOST_EMAIL = 254
MOST_GROUND = 200
LINKS_AN_HOUR = 5
"""So many one-time links are made for a person within an hour."""

_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9.-]{1,190}\.[a-z0-9-]{2,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

AUDIT_DEPARTMENT = (Role.AUDIT_HEAD, Role.AUDITOR)
"""The roles that make somebody a member of the audit department (rule A1)."""


class LinkPurpose(StrEnum):
    """Why somebody gets a one-time link: to begin, or because the password is lost."""

    INVITATION = "invitation"
    RESET = "reset"


class Standing(StrEnum):
    """What an account is good for at the moment."""

    INVITED = "invited"
    """No password chosen yet."""
    ACTIVE = "active"
    DISABLED = "disabled"


VALID_FOR = {LinkPurpose.INVITATION: timedelta(days=7), LinkPurpose.RESET: timedelta(days=2)}
"""How long a one-time link can be used."""


def standing(status: str, *, has_password: bool) -> Standing:
    """What an account of this status is good for."""
    if status != "active":
        return Standing.DISABLED
    return Standing.ACTIVE if has_password else Standing.INVITED


def roles_for(*, company: bool) -> frozenset[Role]:
    """The roles that people of the company, or of a vendor, may hold."""
    return COMPANY_ROLES if company else VENDOR_ROLES


def check_roles(wanted: Iterable[Role], *, company: bool) -> frozenset[Role]:
    """The roles, when there are some and all fit the organisation. Raises `Invalid`."""
    roles = frozenset(wanted)
    if not roles or roles - roles_for(company=company):
        raise Invalid(
            phrase("These roles do not fit the organisation."),
            phrase("Choose roles of the organisation that the person works for."),
        )
    return roles


def check_password(password: str) -> None:
    """Raises `Invalid` for a password that is too short."""
    if len(password) < MIN_PASSWORD:
        raise Invalid(
            phrase("The password is too short."),
            phrase("Use at least %(count)s characters.", count=MIN_PASSWORD),
        )


def normalise_email(email: str) -> str:
    """E-mail addresses are stored and compared in lower case without surrounding space."""
    return email.strip().lower()


def email_of(text: str) -> str:
    """An e-mail address as it is stored. Raises `Invalid` for what no mail server takes."""
    email = normalise_email(text)
    name, _at, host = email.partition("@")
    if (
        len(email) > MOST_EMAIL
        or not _ADDRESS.fullmatch(email)
        or ".." in email
        or name.startswith(".")
        or name.endswith(".")
        or host.startswith((".", "-"))
    ):
        raise Invalid(phrase("This is no mail address."), phrase("Write it as name@example.com."))
    return email


def name_of(text: str) -> str:
    """A person's name as it is stored: on one line, at most 80 characters. Raises `Invalid`."""
    name = " ".join(text.split())
    if not name or len(name) > MOST_NAME or _CONTROL.search(name):
        raise Invalid(
            phrase("The name is missing, too long, or holds signs that are no text."),
            phrase("Write it as on the staff list, with at most %(most)s signs.", most=MOST_NAME),
        )
    return name


def ground_of(text: str) -> str:
    """Why, or by which document, somebody is named or withdrawn; may be empty. Raises `Invalid`."""
    ground = " ".join(_CONTROL.sub(" ", text).split())
    if len(ground) > MOST_GROUND:
        raise Invalid(
            phrase("The ground is too long."),
            phrase("Name the document with at most %(most)s signs.", most=MOST_GROUND),
        )
    return ground


def check_administrators_left(others: int) -> None:
    """`others`: administrators who could still sign in. Raises `Conflict` when there is none."""
    if others < 1:
        raise Conflict(
            phrase("This is the last administrator who can sign in."),
            phrase("Name another one first, and wait until that person has chosen a password."),
        )


def check_not_oneself(*, oneself: bool) -> None:
    """Nobody disables themself or changes the own administrator role. Raises `Conflict`."""
    if oneself:
        raise Conflict(
            phrase("Nobody ends the own account or the own administrator role."),
            phrase("Ask another administrator to do it."),
        )
