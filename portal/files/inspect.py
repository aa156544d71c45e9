"""Look at an uploaded file: is it what it says, is it whole, can it be used (ux.md, rule 6).

The type comes from the content, by libmagic against a list of what is accepted. Recordings are
decoded to the end, images to the last line, workbooks are unpacked under caps, PDFs are followed
through their cross-references. All of it happens in the sandbox; whatever goes wrong there is a
`Problem` that says how to mend it.
"""

from __future__ import annotations

import functools
import re
import struct
from pathlib import Path

import av.error
import magic

from portal.files import audio, decoding, halves, images, meter, pdf, workbook
from portal.files.archive import look_at_start
from portal.files.inspection import Fact, Inspection, inspect
from portal.files.kinds import FileKind, extension_of, kind_of_name
from portal.files.problems import Problem, Refused

__all__ = ["Fact", "Inspection", "inspect", "inspect_here", "warm"]

_BAD_SHARE = 0.01
# In small letters: versions of libmagic differ in them (audio/AMR, audio/amr).
_TYPES = {
    "audio/x-wav": FileKind.WAV,
    "audio/wav": FileKind.WAV,
    "audio/vnd.wave": FileKind.WAV,
    "audio/mpeg": FileKind.MP3,
    "audio/x-m4a": FileKind.M4A,
    "audio/mp4": FileKind.M4A,
    "video/mp4": FileKind.M4A,  # what many recorders write; a film is refused later
    "audio/amr": FileKind.AMR,
    "audio/amr-wb": FileKind.AMR,
    "application/pdf": FileKind.PDF,
    FileKind.XLSX.media_type: FileKind.XLSX,
    "image/jpeg": FileKind.JPEG,
    "image/png": FileKind.PNG,
}


def inspect_here(path: Path, name: str, wanted: tuple[FileKind, ...]) -> Inspection:
    """Look at the file in this process: what `inspection.inspect` has done in the sandbox."""
    kind: FileKind | None = None
    facts: dict[str, Fact] = {}
    peaks: bytes | None = None
    sound: bytes | None = None
    try:
        kind = _kind(path, name, wanted)
        _fits(kind, name, wanted)
        one_thing_only(path, kind)
        if kind.is_audio:
            recording = audio.examine(path, kind, cores=halves.cores())
            _sound(path, kind, recording)
            facts, peaks = _recording_facts(recording), recording.peaks.to_json()
            sound = recording.sound
        else:
            facts = _document_facts(path, kind)
    except Refused as refused:
        return Inspection(False, kind, kind.media_type if kind else "", (refused.problem,))
    except decoding.NoAudio:
        return Inspection(False, kind, "", (Problem("no_audio"),))
    except meter.TooLong:
        hours = meter.MAX_SECONDS // 3600
        return Inspection(False, kind, "", (Problem("audio_too_long", {"hours": hours}),))
    except av.error.FFmpegError:
        return Inspection(False, kind, "", (Problem("unreadable"),))
    return Inspection(True, kind, kind.media_type, (), facts, peaks, sound)


@functools.cache
def _magic() -> magic.Magic:
    return magic.Magic(mime=True)


def warm() -> None:
    """Load libmagic's table before the fork server forks."""
    _magic().from_buffer(b"RIFF")


_ARCHIVE_END = b"PK\x05\x06"
_TAIL = 65_557  # an archive's directory ends within so many bytes of the end of its file
_OTHERS = (b"PK", b"MZ", b"\x7fELF", b"#!", b"GIF8", b"\x89PNG", b"\xff\xd8", b"RIFF")
_MARKUP = re.compile(rb"<\s*(?:!doctype\s+html|html|script|svg|iframe|\?php)\b", re.IGNORECASE)


def one_thing_only(path: Path, kind: FileKind) -> None:
    """Refuse a file that is something else as well: an archive behind a picture or a PDF, a page
    before a PDF, markup in front of sound. Raises `Refused`.

    Images are shown only re-encoded, and nothing is ever served as a page; this keeps such files
    out of the store, where another program might meet them.
    """
    with path.open("rb") as file:
        start = file.read(1024)
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _TAIL))
        tail = file.read()
    if kind is FileKind.XLSX:
        return
    at = tail.rfind(_ARCHIVE_END)
    whole = at >= 0 and len(tail) - at >= 22
    if whole and len(tail) - at - 22 == int.from_bytes(tail[at + 20 : at + 22], "little"):
        raise Refused("two_in_one", found=kind.label)
    before = start[: max(0, start.find(b"%PDF-"))] if kind is FileKind.PDF else start
    if _MARKUP.search(before) or (kind is FileKind.PDF and before.startswith(_OTHERS)):
        raise Refused("two_in_one", found=kind.label)


def _kind(path: Path, name: str, wanted: tuple[FileKind, ...]) -> FileKind:
    """The kind by content. Raises `Refused` for anything not on the list."""
    if not path.stat().st_size:
        raise Refused("empty")
    found = _magic().from_file(str(path))
    kind = _TYPES.get(found.lower())
    if kind is not None:
        return kind
    claimed = kind_of_name(name)
    with path.open("rb") as file:
        start = file.read(4)
        if claimed is FileKind.MP3 and _mpeg_frame(start):
            return FileKind.MP3  # libmagic knows only some of the frame headers
        if claimed is FileKind.XLSX:
            file.seek(0)
            look_at_start(file)  # raises with the reason that fits
            return FileKind.XLSX
    raise Refused("type_not_allowed", found=found, accepted=_labels(wanted))


def _fits(kind: FileKind, name: str, wanted: tuple[FileKind, ...]) -> None:
    ending = extension_of(name)
    if ending and kind_of_name(name) is not kind:
        right = kind.extensions[0]
        raise Refused("name_mismatch", named=ending[:8], found=kind.label, right=right)
    if kind not in wanted:
        raise Refused("kind_not_wanted", found=kind.label, accepted=_labels(wanted))


def _labels(kinds: tuple[FileKind, ...]) -> str:
    return ", ".join(kind.label for kind in kinds)


def _mpeg_frame(start: bytes) -> bool:
    """Whether these bytes begin an MPEG audio frame of layer III."""
    if start[:3] == b"ID3":
        return True
    return len(start) > 1 and start[0] == 0xFF and start[1] & 0xE6 == 0xE2


def _sound(path: Path, kind: FileKind, recording: audio.Recording) -> None:
    """Raise `Refused` for a recording that is empty, breaks off or is damaged."""
    declared = recording.declared
    if kind is FileKind.WAV:
        declared = _wav_seconds(path) or declared
    if recording.duration <= 0:
        raise Refused("no_sound_data")
    if recording.bad_packets > max(1, recording.packets * _BAD_SHARE):
        share = round(100 * recording.bad_packets / max(recording.packets, 1))
        raise Refused("audio_damaged", share=max(share, 1))
    if declared and declared - recording.duration > max(1.0, declared * 0.02):
        raise Refused("audio_truncated", declared=round(declared), found=int(recording.duration))


def _wav_seconds(path: Path) -> float | None:
    """The length that a WAV header promises; None where it promises nothing (unfinished)."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return None
        rate = 0
        while len(chunk := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", chunk)
            if name == b"data":
                return size / rate if rate and 0 < size < 0xFFFF_FF00 else None
            body = file.read(min(size, 64))
            if name == b"fmt " and len(body) >= 12:
                rate = struct.unpack_from("<I", body, 8)[0]
            file.seek(size - len(body) + size % 2, 1)
    return None


def _recording_facts(recording: audio.Recording) -> dict[str, Fact]:
    return {
        "codec": recording.codec,
        "channels": recording.channels,
        "sample_rate": recording.sample_rate,
        "duration": recording.duration,
        "silence": round(recording.peaks.silence, 3),
        "clipping": recording.clipping,
        "playable": recording.playable,
    }


def _document_facts(path: Path, kind: FileKind) -> dict[str, Fact]:
    if kind is FileKind.PDF:
        return {"version": pdf.check(path)}
    if kind is FileKind.XLSX:
        return {"sheets": workbook.sheet_count(path)}
    width, height = images.check(path, kind)
    return {"width": width, "height": height}
