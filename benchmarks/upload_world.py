"""A database for uploads: one company, three vendors, requests of the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from benchmarks.place import Place
from portal.app import provision
from portal.app.factory import open_database
from portal.kernel.access import Role
from tenants.scope import bound
from tests.factories import world as world_factory
from tests.factories.materials import add_request

FOLDER_FILES = 500
FIRST, FIRST_DROPPED = 100, 1_000
"""The first case of the folder that is sent by sockets, and of the one dropped in a browser."""


@dataclass(frozen=True)
class World:
    """Who sends what where."""

    email: str
    large: UUID
    folder: UUID
    dropped: UUID
    numbers: Sequence[str]


def build(here: Place) -> World:
    """A fresh database: what the measurements send files to."""
    provision.bootstrap(here.settings)
    provision.migrate(here.settings)
    database = open_database(here.settings)
    try:
        world = world_factory.build(database)
        vendor = world.vendors[0]
        with bound(world.scope), database.session() as session:
            large = add_request(session, world, vendor, cases=20)
            folder = add_request(session, world, vendor, cases=FOLDER_FILES, first=FIRST)
            dropped = add_request(session, world, vendor, cases=FOLDER_FILES, first=FIRST_DROPPED)
            ids = large.id, folder.id, dropped.id
        numbers = [f"HC-{number:05d}" for number in range(1, 20)]
        return World(vendor.email(Role.OFFICE), *ids, numbers)
    finally:
        database.dispose()
