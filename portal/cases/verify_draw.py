#!/usr/bin/env python3
"""Recompute a draw from its record: python3 verify_draw.py FILE

Checks a draw record of the portal (JSON, or the same compressed by gzip) on any machine with
Python 3.9 or newer, without a network and without the portal. It is written from the published
method (hmac-drbg-sha256/1) and shares no line with the portal's own draw, so that either finds an
error of the other.

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
METHOD = "hmac-drbg-sha256/1"
ID_BYTES = 16


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


def sample(size: int, quota: int, seed: bytes, digest: bytes) -> list[int]:
    """The positions that the method draws, ascending."""
    stream = numbers(seed, digest)
    chosen: set[int] = set()
    for j in range(size - quota, size):
        bound = j + 1
        fair = 2**64 // bound * bound
        number = next(stream)
        while number >= fair:
            number = next(stream)
        chosen.add(j if number % bound in chosen else number % bound)
    return sorted(chosen)


def shares(volumes: dict[str, int], total: int) -> dict[str, int]:
    """Quotas by largest remainder, at least one for each vendor with cases."""
    left = {vendor: volume for vendor, volume in volumes.items() if volume}
    given: dict[str, int] = {}
    while left:
        whole = sum(left.values())
        exact = {vendor: Fraction(total * volume, whole) for vendor, volume in left.items()}
        part = {vendor: int(share) for vendor, share in exact.items()}
        order = sorted(left, key=lambda v: (-(exact[v] - part[v]), -left[v], v))
        for vendor in order[: total - sum(part.values())]:
            part[vendor] += 1
        none = [vendor for vendor in left if not part[vendor]]
        if not none:
            given.update(part)
            break
        for vendor in none:
            given[vendor] = 1
            del left[vendor]
        total -= len(none)
    return given


def check_share(share: dict[str, Any]) -> list[str]:
    """What does not agree in one vendor's part."""
    name, found = share.get("name") or share.get("vendor", ""), []
    population = base64.b64decode(share["population"], validate=True)
    ids = [population[i : i + ID_BYTES] for i in range(0, len(population), ID_BYTES)]
    if len(population) % ID_BYTES or ids != sorted(set(ids)) or len(ids) != share["in_hand"]:
        return [f"{name}: the population is not {share['in_hand']} ids in ascending order"]
    digest, quota = sha256(population), share["quota"]
    if digest.hex() != share["population_hash"]:
        found.append(f"{name}: the population's hash is {digest.hex()}, not the published one")
    if not 0 <= quota <= len(ids):
        return [*found, f"{name}: a quota of {quota} does not fit {len(ids)} cases"]
    drawn = sample(len(ids), quota, bytes.fromhex(share["seed"]), digest)
    if drawn != share["positions"]:
        found.append(f"{name}: other positions come out: {drawn[:10]} …")
    named = share.get("case_numbers")
    if named is not None and [named[i] for i in drawn] != share["drawn"]:
        found.append(f"{name}: the case numbers drawn are not those at the positions")
    return found


def check(record: dict[str, Any]) -> list[str]:
    """What does not agree in a record; empty when everything does."""
    found = [problem for share in record["shares"] for problem in check_share(share)]
    if record["scope"] != "whole":
        return found
    seed, parts = bytes.fromhex(record["seed"]), record["shares"]
    for part in parts:
        vendor = bytes.fromhex(part["vendor"].replace("-", ""))
        if mac(seed, METHOD.encode() + b"\x00" + vendor).hex() != part["seed"]:
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
    if record.get("method") != METHOD:
        raise ValueError(f"this program knows {METHOD}, the record says {record.get('method')}")
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
