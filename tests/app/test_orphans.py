"""Bytes that no row names are removed after a day, journalled; bytes that a row names never."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from portal.app import orphans
from portal.app.tables import METADATA
from portal.files.parts import part_of
from portal.files.service import storage
from portal.files.storage import make_key
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.materials.models import RequestItem
from tests.conftest import Portal
from tests.factories.materials import CALL, Desk, add_request
from tests.files import samples


def test_every_column_that_names_bytes_is_known() -> None:
    """A new column for a key must be named in `NAMED_BY`, or its bytes would be removed."""
    named = {str(column) for one in orphans.NAMED_BY for column in one.selected_columns}
    keys = {
        f"{table.name}.{column.name}"
        for table in METADATA.sorted_tables
        for column in table.columns
        if column.name in ("storage_key", "peaks_key") or column.name.endswith("_storage_key")
    }
    told = {
        f"{one.get_final_froms()[0]}.{column.element.name}"
        for one in orphans.NAMED_BY
        for column in one.selected_columns
    }
    assert told == keys, named


def test_orphans_are_removed_after_a_day(portal: Portal, tmp_path: Path) -> None:
    """What a crash left goes; deliveries, their wave forms, papers and running uploads stay."""
    vendor = portal.world.vendors[0]
    with portal.session(portal.world.scope) as session:
        made = add_request(session, portal.world, vendor)
        call = session.scalars(
            sa.select(RequestItem.id).where(
                RequestItem.request_id == made.id, RequestItem.kind == CALL
            )
        ).first()
    desk = Desk(portal.client(vendor.email(Role.OFFICE)), made.id)
    desk.deliver("HC-00001.wav", samples.pcm(tmp_path / "a.wav").read_bytes())
    portal.work()
    running = desk.start("HC-00002.wav", 3, call)
    desk.put(running, b"abc")
    store = storage()
    kept = {key for key, _ in store.keys()}  # noqa: SIM118 - not a dictionary
    under_way = {one.key for one in store.unfinished()}
    assert len(kept) == 3 and len(under_way) == 1
    orphan, half = (make_key(vendor.id, clock.now()) for _ in range(2))
    store.put(orphan, io.BytesIO(b"left by a crash"))
    address = store.part_address(half, store.begin(half, 5), 5, part_of(5, 1))
    assert desk.put_part(address, b"12345").status_code == 200
    sweep = orphans.OrphanSweep(store, system_actor(portal.world.company_id))

    def step() -> orphans.Found:
        with portal.session(portal.world.scope) as session:
            found = sweep.step(session)
            session.commit()
        sweep.remove(found)
        return found

    assert step() == orphans.Found((), ()), "not before a day"
    with clock.frozen(clock.now() + timedelta(days=2)):
        found = step()
    assert found.keys == (orphan,) and [one.key for one in found.unfinished] == [half]
    assert {key for key, _ in store.keys()} == kept  # noqa: SIM118 - not a dictionary
    assert {one.key for one in store.unfinished()} == under_way
    with portal.session(portal.world.scope) as session:
        actions = session.scalars(
            sa.select(JournalEntry.action).where(JournalEntry.action.like("files.%"))
        ).all()
    assert sorted(actions) == ["files.orphans.removed", "files.parts.removed"]
