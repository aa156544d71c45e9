"""Uploads beside what the machine's own tools take for the same bytes, in one run, as ratios.

python -m benchmarks uploads [--json FILE] [--only STAGE …]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks import upload_beside, upload_folder, upload_large, upload_world
from benchmarks.desk import Desk
from benchmarks.place import Place, opened
from benchmarks.report import Figure, table
from benchmarks.serving import Server, serving
from benchmarks.upload_world import World
from portal.kernel import settings as settings_module
from tests.factories.world import PASSWORD

DATABASE = "uploads_bench"
Stage = Callable[[Place, Server, World, Path], Iterator[Figure]]


def _desk(server: Server, world: World, request_id: object) -> Desk:
    return Desk(server.port, request_id, world.email, PASSWORD)


STAGES: dict[str, Stage] = {
    "large": lambda _h, s, w, f: upload_large.one(_desk(s, w, w.large), s, w, f),
    "several": lambda _h, s, w, f: upload_large.several(_desk(s, w, w.large), s, w, f),
    "range": lambda _h, s, w, f: upload_beside.ranges(_desk(s, w, w.large), s, w, f),
    "folder": lambda _h, s, w, f: upload_folder.sent(_desk(s, w, w.folder), f),
    "browser": lambda _h, s, w, f: upload_folder.dropped(_desk(s, w, w.dropped), s, f),
    "slow": lambda _h, s, w, _f: upload_beside.slow(_desk(s, w, w.large), s, w),
    "closed": lambda h, s, w, f: upload_beside.without_database(h, _desk(s, w, w.large), w, f),
}


def measure(here: Place, folder: Path, stages: Sequence[str]) -> Iterator[Figure]:
    """The figures of these stages, as they are measured."""
    world = upload_world.build(here)
    with serving("wsgi:app", here.environ) as server:
        for stage in stages:
            yield from STAGES[stage](here, server, world, folder)


def main(arguments: Sequence[str]) -> int:
    """Run everything; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="bin/bench uploads", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument("--only", nargs="+", choices=STAGES, default=list(STAGES))
    chosen = parser.parse_args(arguments)
    with opened(DATABASE) as here:
        _drop(here)
        settings_module.install(here.settings)
        data = Path(here.settings.data_dir)
        data.mkdir(parents=True, exist_ok=True)
        figures = []
        with tempfile.TemporaryDirectory(dir=data) as folder:
            try:
                for figure in measure(here, Path(folder), chosen.only):
                    figures.append(figure)
                    print(f"    {figure.name}: {figure.value:.2f} {figure.unit}", flush=True)
            finally:
                _drop(here)
                shutil.rmtree(data / "files", ignore_errors=True)
    load = os.getloadavg()[0]
    print(f"\n{os.cpu_count()} cores, load {load:.1f}, {platform.machine()}\n\n{table(figures)}")
    if chosen.json:
        body = {
            "cores": os.cpu_count(),
            "load": load,
            "figures": [one.as_json() for one in figures],
        }
        chosen.json.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n")
    return 1 if any(figure.held is False for figure in figures) else 0


def _drop(here: Place) -> None:
    with psycopg.connect(here.admin_url, autocommit=True) as connection:
        name = sql.Identifier(here.database)
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))
