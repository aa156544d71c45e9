"""Write a paper's objects once.

pydyf turns each object into bytes twice, for the file's identifier and for the file, and packs
streams at the slowest level each time: a fifth of a notice's processor time. Here each object is
turned into bytes once, before the file is written.
"""

from __future__ import annotations

import zlib
from typing import Any

import pydyf

LEVEL = 4
"""How hard streams are packed: a notice is 3 % larger than at the slowest level."""


class _Settled(pydyf.Object):  # type: ignore[misc]  # pydyf has no types
    """An object whose bytes are made already."""

    compressible = False
    data = b""

    def __init__(self, source: Any) -> None:
        """Takes the number and the state of `source`, which must not change any more."""
        super().__init__()
        self.number, self.generation, self.free = source.number, source.generation, source.free
        self.compressible = source.compressible
        self.data = _stream(source) if isinstance(source, pydyf.Stream) else source.data


def settle(pdf: Any) -> None:
    """Make the bytes of all objects of a finished document; called last before it is written."""
    pdf.objects = [one if one.free == "f" else _Settled(one) for one in pdf.objects]


def _stream(source: Any) -> bytes:
    if not source.compress:
        made: bytes = source.data
        return made
    plain = pydyf.Stream(source.stream, {}, compress=False).data
    body = plain[plain.index(b"stream\n") + 7 : -len(b"\nendstream")]
    packed = zlib.compress(body, LEVEL)
    extra = pydyf.Dictionary({**source.extra, "Filter": "/FlateDecode", "Length": len(packed)})
    return b"\n".join((extra.data, b"stream", packed, b"endstream"))
