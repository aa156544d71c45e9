#!/usr/bin/env python3
"""Recompute a draw from its record: python3 verify_draw.py FILE

Checks a draw record of the portal (JSON, or the same compressed by gzip) on any machine with
Python 3.9 or newer, without a network and without the portal. It is written from the published
methods (hmac-drbg-sha256/1; with strata or weights, hmac-drbg-sha256/2) and shares no line with the
portal's own draw, so that either finds an error of the other.

A vendor's record holds its own frozen population, its own seed, its quota and what was drawn. The
company's record holds all vendors and the draw's seed. Exit code 0: everything agrees. 1: it does
not, and what differs is printed. 2: the file cannot be read.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import sys
from fractions import Fraction
from typing import Any

FORMAT = "draw-record/1"
PLAIN, STRATIFIED = "hmac-drbg-sha256/1", "hmac-drbg-sha256/2"
BYTES = {PLAIN: 16, STRATIFIED: 19}
"""What a case takes in a population: its id; with stratum (two bytes) and weight (one)."""


def sha256(data: bytes) -> bytes:
    """SHA-256 as bytes."""
    return hashlib.sha256(data).digest()


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256 as bytes."""
    return hmac.new(key, data, hashlib.sha256).digest()


def numbers(seed: bytes, digest: bytes) -> Any:
    """8-byte numbers of HMAC_DRBG (NIST SP 800-90A, 10.1.2), 1,024 bytes a request."""
    key, value = bytes(32), b"\x01" * 32
    for mark in (b"\x00", b"\x01"):
        key = mac(key, value + mark + seed + digest)
        value = mac(key, value)
    while True:
        block = b""
        while len(block) < 1024:
            value = mac(key, value)
            block += value
        key = mac(key, value + b"\x00")
        value = mac(key, value)
        for at in range(0, 1024, 8):
            yield int.from_bytes(block[at : at + 8], "big")


def below(bound: int, stream: Any) -> int:
    """A number below the bound, each as likely."""
    fair = 2**64 // bound * bound
    number = next(stream)
    while number >= fair:
        number = next(stream)
    return int(number % bound)


def sample(size: int, quota: int, seed: bytes, digest: bytes) -> list[int]:
    """The positions that method /1 draws, ascending."""
    stream = numbers(seed, digest)
    chosen: set[int] = set()
    for j in range(size - quota, size):
        number = below(j + 1, stream)
        chosen.add(j if number in chosen else number)
    return sorted(chosen)


def by_strata(cases: list[bytes], quota: int, seed: bytes, digest: bytes) -> list[int]:
    """The positions that method /2 draws, ascending."""
    stream = numbers(seed, digest)
    strata: dict[int, list[int]] = {}
    for position, case in enumerate(cases):
        strata.setdefault(case[16] * 256 + case[17], []).append(position)
    chosen: list[int] = []
    for stratum, part in sorted(parts(strata, cases, quota).items()):
        # By weight, then by position; the number falls on the case whose weight reaches it.
        left = sorted(strata[stratum], key=lambda position: (cases[position][18], position))
        for _ in range(part):
            number = below(sum(cases[position][18] for position in left), stream)
            place = 0
            while number >= cases[left[place]][18]:
                number -= cases[left[place]][18]
                place += 1
            chosen.append(left.pop(place))
    return sorted(chosen)


def parts(strata: dict[int, list[int]], cases: list[bytes], quota: int) -> dict[int, int]:
    """How many of the quota each stratum gives: by its weight, none more than it has."""
    sums = {one: sum(cases[place][18] for place in places) for one, places in strata.items()}
    given: dict[int, int] = {}
    while True:
        open_ones = {one: weight for one, weight in sums.items() if one not in given}
        if not open_ones:
            return given
        part = largest_remainder(open_ones, quota - sum(given.values()))
        full = [one for one in open_ones if part[one] > len(strata[one])]
        if not full:
            return {**given, **part}
        given.update({one: len(strata[one]) for one in full})


def largest_remainder(weights: dict[Any, int], total: int) -> dict[Any, int]:
    """The total shared by weight; what is left goes to the largest remainder, the larger weight,
    the smaller name."""
    whole = sum(weights.values())
    exact = {one: Fraction(total * weight, whole) for one, weight in weights.items()}
    part = {one: int(share) for one, share in exact.items()}
    order = sorted(weights, key=lambda one: (-(exact[one] - part[one]), -weights[one], one))
    for one in order[: total - sum(part.values())]:
        part[one] += 1
    return part


def shares(volumes: dict[str, int], total: int) -> dict[str, int]:
    """Quotas by largest remainder, at least one for each vendor with cases."""
    left = {vendor: volume for vendor, volume in volumes.items() if volume}
    given: dict[str, int] = {}
    while left:
        part = largest_remainder(left, total)
        none = [vendor for vendor in left if not part[vendor]]
        if not none:
            given.update(part)
            break
        for vendor in none:
            given[vendor] = 1
            del left[vendor]
        total -= len(none)
    return given


def population_digest(population: bytes, plan: str, strata: str, method: str) -> bytes:
    """The population's hash; that of method /2 covers the plan's and the strata's texts."""
    if method == PLAIN:
        return sha256(population)
    return sha256(sha256(plan.encode()) + sha256(strata.encode()) + population)


def check_share(share: dict[str, Any], method: str, plan: str) -> list[str]:
    """What does not agree in one vendor's part."""
    name, found, size = share.get("name") or share.get("vendor", ""), [], BYTES[method]
    population = base64.b64decode(share["population"], validate=True)
    cases = [population[i : i + size] for i in range(0, len(population), size)]
    ids = [case[:16] for case in cases]
    if len(population) % size or ids != sorted(set(ids)) or len(ids) != share["in_hand"]:
        return [f"{name}: the population is not {share['in_hand']} ids in ascending order"]
    if method == STRATIFIED and not all(case[18] for case in cases):
        return [f"{name}: a case has no weight"]
    digest = population_digest(population, plan, share.get("strata", ""), method)
    quota = share["quota"]
    if digest.hex() != share["population_hash"]:
        found.append(f"{name}: the population's hash is {digest.hex()}, not the published one")
    if not 0 <= quota <= len(ids):
        return [*found, f"{name}: a quota of {quota} does not fit {len(ids)} cases"]
    seed = bytes.fromhex(share["seed"])
    if method == PLAIN:
        drawn = sample(len(ids), quota, seed, digest)
    else:
        drawn = by_strata(cases, quota, seed, digest)
    if drawn != share["positions"]:
        found.append(f"{name}: other positions come out: {drawn[:10]} …")
    named = share.get("case_numbers")
    if named is not None and [named[i] for i in drawn] != share["drawn"]:
        found.append(f"{name}: the case numbers drawn are not those at the positions")
    return found


def check(record: dict[str, Any]) -> list[str]:
    """What does not agree in a record; empty when everything does."""
    method, plan = record["method"], record.get("plan", "")
    found = [problem for share in record["shares"] for problem in check_share(share, method, plan)]
    if record["scope"] != "whole":
        return found
    seed, parts = bytes.fromhex(record["seed"]), record["shares"]
    for part in parts:
        vendor = bytes.fromhex(part["vendor"].replace("-", ""))
        if mac(seed, method.encode() + b"\x00" + vendor).hex() != part["seed"]:
            found.append(f"{part['name']}: the vendor's seed does not follow from the draw's")
    ordered = sorted(parts, key=lambda part: part["vendor"])
    whole = sha256(b"".join(bytes.fromhex(part["population_hash"]) for part in ordered))
    if whole.hex() != record["population_hash"]:
        found.append("the hash of the whole population is not the published one")
    volumes = {part["vendor"]: part["in_hand"] for part in parts}
    if shares(volumes, record["total"]) != {part["vendor"]: part["quota"] for part in parts}:
        found.append("the quotas do not follow from the volumes")
    return found


def read(path: str) -> dict[str, Any]:
    """A record from a file; raises `ValueError` for what is none."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    record = json.loads(data)
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ValueError(f"this is no draw record ({FORMAT})")
    if record.get("method") not in BYTES:
        raise ValueError(f"this program knows {' and '.join(BYTES)}, not {record.get('method')}")
    return record


def main(path: str) -> int:
    """Check one file, say what came out, and return the exit code."""
    try:
        record = read(path)
        found = check(record)
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
        sys.stderr.write(f"{path}: cannot be checked: {error}\n")
        return 2
    for problem in found:
        sys.stdout.write(f"DIFFERS  {problem}\n")
    if not found:
        cases = sum(len(share["positions"]) for share in record["shares"])
        held = sum(share["in_hand"] for share in record["shares"])
        drawn = f"{cases} of {held} cases"
        sys.stdout.write(f"AGREES   {drawn}, as the published method draws them\n")
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
