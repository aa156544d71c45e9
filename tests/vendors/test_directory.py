"""Names that a process keeps: each scope's own, never behind what was added."""

from __future__ import annotations

import pytest

from portal.vendors import directory, service
from portal.vendors.directory import Directory
from tenants.scope import Scope
from tests.conftest import Portal


def read(portal: Portal, scope: Scope, *needed: str | None) -> Directory:
    with portal.session(scope) as session:
        return directory.directory(session, needed)


def test_a_vendor_finds_its_own_names_and_no_others(portal: Portal) -> None:
    """Also after the company, and another vendor, had theirs read in the same process."""
    mine, other = portal.world.vendors[:2]
    company = read(portal, portal.world.scope)
    theirs = read(portal, Scope.vendor(other.id))
    own = read(portal, Scope.vendor(mine.id))
    assert {str(mine.id), str(other.id)} <= set(company.names)
    assert company.names[str(mine.id)] == mine.short_name
    assert [name for _id, name in company.vendors] == [
        vendor.short_name for vendor in sorted(portal.world.vendors, key=lambda one: one.code)
    ]
    assert str(mine.group_id) in own.names and set(own.groups) == {mine.id}
    assert not set(own.names) & set(theirs.names)
    assert set(own.names) | set(theirs.names) < set(company.names)


def test_it_is_read_once_and_again_for_an_id_that_it_lacks(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor = portal.world.vendors[0]
    first = read(portal, portal.world.scope)
    assert read(portal, portal.world.scope, str(vendor.group_id), None) is first
    with portal.session(portal.world.scope) as session:
        # Another process adds: nothing tells this one.
        monkeypatch.setattr(service, "changed", lambda _session: None)
        added = service.add_group(session, vendor.id, "五组").id
        session.commit()
    assert read(portal, portal.world.scope) is first
    again = read(portal, portal.world.scope, str(added))
    assert again.names[str(added)] == "五组"
    assert ("五组" in [name for _id, name in again.groups[vendor.id]]) and again is not first


def test_what_this_process_adds_is_offered_at_once(portal: Portal) -> None:
    vendor = portal.world.vendors[0]
    before = read(portal, portal.world.scope)
    with portal.session(portal.world.scope) as session:
        service.add_group(session, vendor.id, "六组")
        assert directory.directory(session) is before, "not before it is committed"
        session.commit()
    after = read(portal, portal.world.scope)
    assert "六组" in [name for _id, name in after.groups[vendor.id]]
