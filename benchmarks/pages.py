"""Addresses of pages that must be looked for: the ten-thousandth of a list, a case of a vendor."""

from __future__ import annotations

from uuid import UUID

import psycopg

from benchmarks.fill import code
from benchmarks.place import Place
from portal.kernel.paging import PAGE_SIZE, encode

PAGE = 10_000


def deep_page(place: Place, path: str) -> str:
    """The company's list at page 10,000 of its default sort (entrusted last comes first)."""
    with psycopg.connect(place.settings.login_urls()["owner"]) as connection:
        found = connection.execute(
            "select entrusted_on, id from cases order by entrusted_on desc, id desc"
            " offset %s limit 1",
            ((PAGE - 1) * PAGE_SIZE - 1,),
        ).fetchone()
    assert found is not None
    return f"{path}?at={encode('a', *found)}"


def first_case(place: Place, number: int = 0) -> UUID:
    """A case of the vendor of that number."""
    with psycopg.connect(place.settings.login_urls()["owner"]) as connection:
        found = connection.execute(
            "select cases.id from cases join tenants on tenants.id = cases.tenant_id"
            " where tenants.code = %s order by cases.id limit 1",
            (code(number),),
        ).fetchone()
    assert found is not None
    made: UUID = found[0]
    return made
