"""Ask the sandbox to look at a file, without loading a decoder here.

The web process checks a file while its form waits and must stay small, so the decoders are
imported by the sandbox's server alone (`portal.files.forkserver`).
"""

from __future__ import annotations

import importlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from portal.files import sandbox
from portal.files.kinds import ALL, FileKind, kind_of_name
from portal.files.problems import Problem

Fact = str | int | float | bool

_LIMITS = sandbox.Limits(memory=1536 << 20, cpu=180, wall=240.0)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found. `facts` fit for JSON; `peaks` (JSON for the player) of a good recording, and
    `sound`, its fingerprint, where the library for it is installed.

    Facts of recordings: codec, channels, sample_rate, duration (s), silence and clipping (shares
    of time), playable; of images: width, height; of PDFs: version; of workbooks: sheets.
    """

    ok: bool
    kind: FileKind | None
    media_type: str
    problems: tuple[Problem, ...] = ()
    facts: dict[str, Fact] = field(default_factory=dict, hash=False)
    peaks: bytes | None = field(default=None, repr=False)
    sound: bytes | None = field(default=None, repr=False)


def _there(path: Path, name: str, wanted: tuple[FileKind, ...]) -> Inspection:
    """Runs in the sandbox, where the decoders are loaded already."""
    found: Inspection = importlib.import_module("portal.files.inspect").inspect_here(
        path, name, wanted
    )
    return found


def inspect(path: Path, declared_name: str, allowed: Collection[FileKind] = ALL) -> Inspection:
    """Inspect the file at `path` that was uploaded as `declared_name`, in the sandbox.

    `allowed`: the kinds accepted in this place. Never raises for what is in the file.
    """
    wanted = tuple(kind for kind in FileKind if kind in allowed)
    outcome = sandbox.run(_there, path, declared_name, wanted, limits=_LIMITS)
    if outcome.value is not None:
        return outcome.value
    kind = kind_of_name(declared_name)
    code = "unreadable" if outcome.status is sandbox.Status.ERROR else "too_complex"
    return Inspection(False, kind, kind.media_type if kind else "", (Problem(code),))
