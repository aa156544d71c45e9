"""Every route of the URL map, attacked by a vendor's people with ids that are not theirs.

Planted rows of another vendor, the own vendor's unissued and private rows: each is 404, with the
same body as an id that never was, and nothing is written. The rows of one kind have one id in all
tables (`Together`), so that a request asks for all of them at once; the slow test asks for each row
of each table by itself. The routes are taken from the URL map, so a new one is attacked from its
first day; one with a parameter that this test cannot fill fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from portal.app.tables import METADATA, rows
from portal.identity.service import create_account
from portal.kernel.access import VENDOR_ROLES, Permission, Role
from tenants.scope import Login, Scope
from tests.conftest import Portal
from tests.factories.world import PASSWORD
from tests.isolation.conftest import Seeded, Together, owner

ALL_HATS = "all-hats@hc.example.com"
NOISE = re.compile(
    # The id first: its first group may be digits only, and look like a reference.
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r'|nonce="[^"]*"|content="[A-Za-z0-9_.-]{20,}"|value="[A-Za-z0-9_.-]{40,}"'
    r"|\b[0-9A-F]{8}\b|<time.*?</time>|\d\d:\d\d"
)
"""Nonces, tokens, error references, the clock and the id itself; nothing else is normalised."""
QUIET_TABLES = {"sign_in_sessions", "alembic_version"}
FILLED = {"UUIDConverter"}
"""Kinds of path parameters that are attacked with ids."""
WHOLE_PAGES = 3
OTHER_PARAMETERS: dict[str, dict[str, str]] = {
    # The company's own fee terms: a vendor must not even learn that the scheme exists.
    "schemes.show": {"key": "fees"},
    "schemes.edit": {"key": "fees"},
    "reviews.decide": {"verb": "remove"},
    "reviews.unmark": {"mark_id": "0"},
}
"""Routes with parameters that are no ids, and what to fill in."""


def _rules(portal: Portal) -> Iterator[Rule]:
    for rule in portal.app.url_map.iter_rules():
        view = portal.app.view_functions[rule.endpoint]
        if not str(getattr(view, "access", "")).startswith("open"):
            yield rule


def _path(rule: Rule, portal: Portal, attack: UUID) -> str:
    values = {
        name: attack
        if type(converter).__name__ in FILLED
        else OTHER_PARAMETERS[rule.endpoint][name]
        for name, converter in rule._converters.items()
    }
    with portal.app.test_request_context():
        adapter = portal.app.url_map.bind("localhost")
        return adapter.build(rule.endpoint, values, method=_methods(rule)[0])


def _methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def _state(portal: Portal) -> dict[str, str]:
    """A digest of every table's rows."""
    digests = " union all ".join(
        f"select '{name}', count(*) || coalesce(md5(string_agg(t::text, '' order by t::text)), '')"
        f" from {name} t"
        for name in METADATA.tables
        if name not in QUIET_TABLES
    )
    with owner(portal) as connection:
        return {row[0]: row[1] for row in connection.execute(sa.text(digests))}


@pytest.fixture
def all_hats(portal: Portal) -> FlaskClient:
    """A person of the first vendor who holds every role of a vendor."""
    with portal.session(Scope(Login.SIGN_IN)) as session:
        create_account(
            session,
            tenant_id=portal.world.vendors[0].id,
            email=ALL_HATS,
            name="Everybody",
            roles=VENDOR_ROLES,
            password=PASSWORD,
        )
        session.commit()
    return portal.client(ALL_HATS)


def _access(portal: Portal, endpoint: str) -> object:
    """What the guard of a view asks for."""
    return getattr(portal.app.view_functions[endpoint], "access")  # noqa: B009 - unknown to mypy


def _forbidden_ids(seeded: dict[str, Seeded]) -> dict[str, UUID]:
    """What a vendor must not reach, by what it is."""
    found: dict[str, UUID] = {}
    for name, row in rows().items():
        if row.row_class == "reference":
            continue
        found[f"{name} of another vendor"] = seeded[name].foreign
        unissued = seeded[name].unissued
        if unissued:
            found[f"{name} not issued"] = unissued
        if row.row_class in ("private", "company"):
            found[f"{name} of the company's"] = seeded[name].own
    return found


def _open(client: FlaskClient, path: str, method: str, *, page: bool) -> tuple[int, str]:
    """The answer's status and body, as a page or (quicker) as a script gets it."""
    script: dict[str, Any] = {"content_type": "application/json", "data": "{}"}
    answer = client.open(path, method=method, **({} if page else script))
    return answer.status_code, NOISE.sub("", answer.text)


def _attack(portal: Portal, client: FlaskClient, rule: Rule, ids: dict[str, UUID]) -> list[str]:
    """The attacks on a route, by page and by script, that were not answered like a ghost's, in
    status and body."""
    found = []
    for method in _methods(rule):
        for page in (True, False):
            ghost = _open(client, _path(rule, portal, uuid4()), method, page=page)
            if ghost[0] != 404:
                found.append(f"{method} {rule}: {ghost[0]} for an id that never was")
                continue
            # The whole page for a few, the short answer for all.
            for what, attack in list(ids.items())[: WHOLE_PAGES if page else None]:
                answer = _open(client, _path(rule, portal, attack), method, page=page)
                if answer != ghost:
                    found.append(f"{method} {rule}: {answer[0]} for {what}")
    return found


def _attack_all(portal: Portal, client: FlaskClient, ids: dict[str, UUID]) -> None:
    """Attack every route that takes parameters; nothing leaks and nothing is written."""
    before = _state(portal)
    leaks = [
        leak
        for rule in _rules(portal)
        if rule.arguments
        for leak in _attack(portal, client, rule, ids)
    ]
    assert leaks == [], "\n".join(leaks)
    assert _state(portal) == before


def test_every_route_is_absent_for_what_is_not_ones_own(
    portal: Portal, together: Together, all_hats: FlaskClient
) -> None:
    _attack_all(portal, all_hats, together.named())


@pytest.mark.slow
def test_every_route_is_absent_for_each_row_of_each_table(
    portal: Portal, seeded: dict[str, Seeded], all_hats: FlaskClient
) -> None:
    """Some 40,000 requests; with ids that stand in one table only."""
    _attack_all(portal, all_hats, _forbidden_ids(seeded))


@pytest.mark.parametrize("role", sorted(VENDOR_ROLES))
def test_each_role_meets_only_what_it_holds(portal: Portal, together: Together, role: Role) -> None:
    """A role without the permission gets the same 404 on every route, with any id."""
    vendor = portal.world.vendors[0]
    client = portal.client(vendor.email(role))
    before = _state(portal)
    for rule in _rules(portal):
        access = _access(portal, rule.endpoint)
        held = not isinstance(access, Permission) or role in access.roles
        if held and not rule.arguments:
            continue
        for method in _methods(rule):
            answer = client.open(_path(rule, portal, together.foreign), method=method)
            assert answer.status_code == 404, f"{role}: {method} {rule}"
    assert _state(portal) == before


def test_nobody_signed_out_meets_anything(portal: Portal, seeded: dict[str, Seeded]) -> None:
    client = portal.client()
    for rule in _rules(portal):
        for method in _methods(rule):
            answer = client.open(_path(rule, portal, seeded["cases"].own), method=method)
            assert answer.status_code in (302, 401), f"{method} {rule}: {answer.status_code}"
            if answer.status_code == 302:
                assert "/sign-in" in answer.headers["Location"]


def test_every_view_carries_a_guard(portal: Portal) -> None:
    bare = [
        endpoint
        for endpoint, view in portal.app.view_functions.items()
        if getattr(view, "access", None) is None
    ]
    assert bare == []


def test_a_planted_leak_in_a_view_is_seen(
    portal: Portal, together: Together, all_hats: FlaskClient
) -> None:
    """The check proves itself: a view that answers for a row that is not one's own is caught."""
    rule = next(rule for rule in _rules(portal) if rule.endpoint == "notices.show")
    honest = portal.app.view_functions["notices.show"]
    for what, leaked in together.named().items():

        def leaking(document_id: UUID, leaked: UUID = leaked) -> object:
            return "here it is" if document_id == leaked else honest(document_id)

        leaking.access = _access(portal, "notices.show")  # type: ignore[attr-defined]
        portal.app.view_functions["notices.show"] = leaking  # type: ignore[assignment]
        told = _attack(portal, all_hats, rule, together.named())
        assert told == [f"GET {rule}: 200 for {what}"] * 2, "as a page and as a script"
