"""A draw that anyone can check: the records, and the program that recomputes them (A3)."""

from __future__ import annotations

import base64
import gzip
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.audits.draws import queries
from portal.audits.draws.plans import Options
from portal.audits.draws.records import companys_record
from portal.audits.draws.rules import Population, ShareRecord, Size, differences
from portal.cases import draw, strata, verify_draw
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role
from tests.audits.drawing import planned, populate, step, work
from tests.conftest import Portal
from tests.factories.world import MOMENT


def recorded(volumes: dict[UUID, int], total: int, seed: bytes) -> dict[str, Any]:
    """A whole record as the portal's own engine makes it."""
    shares, hashes = [], {}
    for vendor, quota in draw.quotas(volumes, total).items():
        ids = draw.canonical(UUID(int=vendor.int ^ (n + 1)) for n in range(volumes[vendor]))
        digest = hashes[vendor] = draw.population_hash(ids)
        own = draw.vendor_seed(seed, vendor)
        drawn = tuple(draw.positions(volumes[vendor], quota, own, digest))
        shares.append(
            ShareRecord(vendor, "甲", volumes[vendor], quota, ids, digest.hex(), own.hex(), drawn)
        )
    facts = {"seed": seed.hex(), "total": total, "population_hash": draw.draw_hash(hashes).hex()}
    made: dict[str, Any] = json.loads(gzip.decompress(companys_record(shares, facts)))
    return made


@settings(max_examples=60)
@given(
    st.dictionaries(st.uuids(), st.integers(1, 400), min_size=1, max_size=8),
    st.integers(0, 10_000),
    st.binary(min_size=32, max_size=32),
)
def test_two_implementations_of_the_method_agree(
    volumes: dict[UUID, int], more: int, seed: bytes
) -> None:
    total = len(volumes) + more % (sum(volumes.values()) - len(volumes) + 1)
    assert verify_draw.check(recorded(volumes, total, seed)) == []


def stratified(volumes: dict[UUID, int], total: int, seed: bytes, dice: int) -> dict[str, Any]:
    """A whole record of method /2 as the portal's own engine makes it."""
    plan = Options(group=True, days=(30, 90), suspended=2).text
    shares, hashes = [], {}
    for vendor, quota in draw.quotas(volumes, total).items():
        marks = random.Random(dice ^ vendor.int)
        packed = strata.packed(
            (UUID(int=vendor.int ^ (n + 1)).bytes, marks.randrange(6), marks.choice((1, 1, 3)))
            for n in range(volumes[vendor])
        )
        cases = Population(packed, plan, '["","一组"]')
        digest = hashes[vendor] = cases.digest()
        own = draw.vendor_seed(seed, vendor, strata.METHOD)
        drawn = tuple(cases.drawn(quota, own, digest))
        part = (volumes[vendor], quota, packed, digest.hex(), own.hex(), drawn)
        shares.append(ShareRecord(vendor, "甲", *part, None, plan, '["","一组"]'))
    whole = draw.draw_hash(hashes).hex()
    assert not [*differences(total=total, seed=seed.hex(), whole_hash=whole, shares=shares)]
    facts = {"seed": seed.hex(), "total": total, "population_hash": whole}
    made: dict[str, Any] = json.loads(gzip.decompress(companys_record(shares, facts)))
    return made


@settings(max_examples=40)
@given(
    st.dictionaries(st.uuids(), st.integers(1, 120), min_size=1, max_size=5),
    st.integers(0, 10_000),
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**32),
)
def test_two_implementations_agree_on_strata_and_weights(
    volumes: dict[UUID, int], more: int, seed: bytes, dice: int
) -> None:
    total = len(volumes) + more % (sum(volumes.values()) - len(volumes) + 1)
    assert verify_draw.check(stratified(volumes, total, seed, dice)) == []


@pytest.mark.parametrize("field", ["plan", "strata", "weight", "stratum"])
def test_the_hash_covers_plan_strata_and_weights(field: str) -> None:
    record = stratified({UUID(int=2**100): 90}, 9, b"\x07" * 32, 1)
    assert verify_draw.check(record) == []
    (share,) = record["shares"]
    if field == "plan":
        record["plan"] = Options(group=True, days=(30, 90), suspended=9).text
    elif field == "strata":
        share["strata"] = '["","二组"]'
    else:
        cases = bytearray(base64.b64decode(share["population"]))
        cases[18 if field == "weight" else 17] ^= 1 << 2
        share["population"] = base64.b64encode(cases).decode()
    assert any("hash" in problem for problem in verify_draw.check(record))


def swapped(record: dict[str, Any]) -> None:
    share = record["shares"][0]
    share["positions"][0] = next(n for n in range(200) if n not in share["positions"])


def grown(record: dict[str, Any]) -> None:
    share = record["shares"][0]
    ids = base64.b64decode(share["population"]) + b"\xff" * 16
    share["population"], share["in_hand"] = base64.b64encode(ids).decode(), share["in_hand"] + 1


def reseeded(record: dict[str, Any]) -> None:
    record["seed"] = "00" * 32


def shifted(record: dict[str, Any]) -> None:
    for share, by in zip(record["shares"], (1, -1), strict=True):
        share["quota"] += by
        own, digest = bytes.fromhex(share["seed"]), bytes.fromhex(share["population_hash"])
        share["positions"] = draw.positions(share["in_hand"], share["quota"], own, digest)


@pytest.mark.parametrize("tamper", [swapped, grown, reseeded, shifted])
def test_what_was_tampered_with_differs(tamper: Callable[[dict[str, Any]], None]) -> None:
    record = recorded({UUID(int=2**100): 200, UUID(int=2**101): 90}, 30, b"\x07" * 32)
    assert verify_draw.check(record) == []
    tamper(record)
    assert verify_draw.check(record)


def run(program: Path, file: Path) -> subprocess.CompletedProcess[str]:
    """As a vendor runs it: a bare interpreter, an empty folder, nothing of the portal."""
    argv = [sys.executable, "-I", str(program), str(file)]
    return subprocess.run(argv, capture_output=True, text=True, cwd=file.parent, check=False)


def refuses(program: Path, file: Path, record: dict[str, Any]) -> None:
    """The program tells a changed record, and what is none, from a right one."""
    (share,) = record["shares"]
    share["drawn"][0] = share["case_numbers"][-1]
    file.write_text(json.dumps(record))
    assert run(program, file).returncode == 1
    file.write_bytes(b"\x1f\x8b nothing")
    broken = run(program, file)
    assert broken.returncode == 2 and "cannot be checked" in broken.stderr


def test_a_vendor_recomputes_its_sample_offline(portal: Portal, tmp_path: Path) -> None:
    populate(portal)
    draw_id = planned(portal, Size(total=20))
    work(portal)
    step(portal, draw_id, "draw_sample")
    step(portal, draw_id, "issue")
    work(portal)
    hc, other = portal.world.vendors[:2]
    with clock.frozen(MOMENT):
        office = portal.client(hc.email(Role.OFFICE))
        with portal.session(portal.world.scope) as session:
            path = f"/requests/{queries.get_share(session, draw_id, hc.id).request_id}"
        page = office.get(path).text
        assert f"{path}/draw-record.json" in page and "/requests/verify_draw.py" in page
        answer = office.get(f"{path}/draw-record.json")
        assert answer.headers["Content-Encoding"] == "gzip"
        program = tmp_path / "verify_draw.py"
        program.write_bytes(office.get("/requests/verify_draw.py").data)
        company = portal.client(portal.world.email(Role.AUDITOR))
        whole = company.get(f"/draws/{draw_id}/record.json").data
        assert office.get(f"/draws/{draw_id}/record.json").status_code == 404
    with portal.session(portal.world.scope) as session:
        acts = sa.select(JournalEntry.action).where(JournalEntry.action.endswith("record_taken"))
        assert sorted(session.scalars(acts)) == [
            "audits.draw.record_taken",
            "materials.request.draw_record_taken",
        ]
    with clock.frozen(MOMENT):
        stranger = portal.client(other.email(Role.OFFICE))
        assert stranger.get(f"{path}/draw-record.json").status_code == 404
    record = json.loads(gzip.decompress(answer.data))
    (share,) = record["shares"]
    assert share["vendor"] == str(hc.id) and share["quota"] == len(share["drawn"]) == 15
    assert all(number.startswith("HC-") for number in share["case_numbers"])
    # Of another vendor not a word: neither id, name, volume, hash nor the draw's own seed.
    text = json.dumps(record, ensure_ascii=False)
    told = json.loads(gzip.decompress(whole))
    for secret in (str(other.id), other.short_name, told["seed"], told["population_hash"]):
        assert secret not in text
    file = tmp_path / "record.json"
    for body, said in ((answer.data, "15 of 120"), (whole, "20 of 153")):
        file.write_bytes(gzip.decompress(body))
        done = run(program, file)
        assert (done.returncode, done.stderr) == (0, "") and said in done.stdout
    refuses(program, file, record)
