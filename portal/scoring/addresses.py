"""Where the fact behind a figure is seen, as far as the reader may open that page (UX 15)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode
from uuid import UUID

from portal.audits.permissions import SEE_FORMS, SEE_REVIEWS
from portal.cases.permissions import VIEW as SEE_CASES
from portal.excellence.permissions import VIEW as SEE_EXCELLENT
from portal.kernel.access import Actor
from portal.materials.permissions import VIEW as SEE_REQUESTS
from portal.notices.permissions import VIEW as SEE_PAPERS
from portal.receipts.permissions import VIEW as SEE_RECEIPTS
from portal.rectification.permissions import VIEW as SEE_NOTICES
from portal.scoring.permissions import VIEW as SEE_SCORES

_PAGES = (
    ("/reviews/", SEE_REVIEWS),
    ("/assessments/", SEE_FORMS),
    ("/requests/", SEE_REQUESTS),
    ("/rectifications/", SEE_NOTICES),
    ("/receipts/", SEE_RECEIPTS),
    ("/cases/", SEE_CASES),
    ("/scores/", SEE_SCORES),
    ("/excellent-cases", SEE_EXCELLENT),
    ("/papers/", SEE_PAPERS),
)


def opens(actor: Actor) -> tuple[str, ...]:
    """How the addresses begin that the person may open."""
    return tuple(page for page, permission in _PAGES if actor.may(permission))


def first_open(addresses: Iterable[str], opened: tuple[str, ...]) -> str:
    """The first address that may be opened, "" when none."""
    return next((one for one in addresses if one.startswith(opened)), "")


def of_project(project_id: UUID, *, vendor_id: UUID, period: str, band: str) -> tuple[str, str]:
    """Receipts of a project and age band in a month; the cases, for who sees no receipts."""
    narrowed = {"vendor": vendor_id, "project": project_id, "band": band}
    return (
        f"/receipts/?{urlencode({**narrowed, 'period': period})}",
        f"/cases/?{urlencode(narrowed)}",
    )
