"""File names from strangers: make them safe, and read out of them what a file belongs to.

Dialler systems name recordings by telephone number, extension and time, such as
`13800001234_8012_20261103142233.wav`; people name them by case number, or put them into a folder
named so. `matching` decides which item of a request a name answers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from portal.files.cells import normal_phone
from portal.files.kinds import FileKind, kind_of_name
from portal.kernel.clock import BEIJING
from portal.kernel.errors import Invalid
from portal.kernel.phrases import phrase

MAX_BYTES = 180
_MAX_NAME = 512
_MAX_PATTERN = 300
_MAX_PATTERNS = 40
_MAX_SEGMENTS = 40

_UNSAFE = re.compile(r'[<>:"/\\|?*]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE | re.ASCII)
_SPACES = re.compile(r"\s+")
ALPHANUMERIC = re.compile(r"[A-Za-z0-9]+")
_LONG_DIGITS = re.compile(
    r"\d{10,}|(?<!\d)0\d{2,3}-\d{7,8}(?!\d)|(?<!\d)1[3-9]\d[- ]\d{4}[- ]\d{4}(?!\d)", re.ASCII
)
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}$", re.ASCII)


class MaterialKind(StrEnum):
    """What a delivered file proves (rules.md, Words: material)."""

    CALL_RECORDING = "call_recording"
    COLLECTION_RECORD = "collection_record"
    VISIT_RECORDING = "visit_recording"
    OTHER = "other"


_SOUND = frozenset(MaterialKind) - {MaterialKind.COLLECTION_RECORD}
_PAPER = frozenset({MaterialKind.COLLECTION_RECORD, MaterialKind.OTHER})


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a dialler's file name tells of. `phone` as `normal_phone` writes it."""

    phone: str
    extension: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a name may mean. `case_parts`: the parts a case number could be made of, by folder.

    `kind` is the best guess; `said` when a word in the name or folder says it. `moments`: times of
    fourteen digits anywhere in the name, however they are parted.
    """

    case_parts: tuple[tuple[str, ...], ...]
    case_numbers: tuple[str, ...]
    calls: tuple[Call, ...]
    kind: MaterialKind | None
    said: bool
    file_kind: FileKind | None
    moments: tuple[datetime, ...] = ()

    @property
    def times(self) -> tuple[datetime, ...]:
        """When the call was, by whatever in the name is a moment; aware UTC."""
        told = (call.at for call in self.calls if call.at is not None)
        return tuple(dict.fromkeys((*told, *self.moments)))

    @property
    def digits(self) -> tuple[str, ...]:
        """Runs of digits as long as a card number."""
        pieces = (piece for parts in self.case_parts for piece in parts)
        return tuple(piece for piece in pieces if piece.isdigit() and 12 <= len(piece) <= 24)

    @property
    def possible(self) -> frozenset[MaterialKind]:
        """The kinds of material that such a file can be: sound is no record, paper no sound."""
        if self.kind is not None and self.said:
            return frozenset({self.kind})
        if self.file_kind is None:
            return frozenset(MaterialKind)
        return _SOUND if self.file_kind.is_audio else _PAPER


def display_name(original: str) -> str:
    """A name that is safe to show, log and save: no path, no controls, no tricks of direction.

    Never empty, at most `MAX_BYTES` bytes of UTF-8, ending kept.
    """
    name = unicodedata.normalize("NFC", original.encode("utf-8", "replace").decode("utf-8"))
    name = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    name = "".join(char for char in name if _printable(char))
    name = _SPACES.sub(" ", _UNSAFE.sub("_", name)).strip(" .")
    if _DEVICE.match(name):
        name = "_" + name
    return _shortened(name) or "file"


def download_name(label: str, kind: FileKind) -> str:
    """A name to save a file under: safe, with the ending of what the file really is."""
    stem = display_name(label)
    ending = "." + kind.extensions[0]
    known = _ENDING.search(stem)
    if known and kind_of_name(stem) is not None:
        stem = stem[: known.start()]
    return _shortened((stem.rstrip(" .") or "file") + ending)


def masked_name(original: str) -> str:
    """`display_name` with telephone and card numbers masked (C4.1): for lists, papers, logs.

    Times of fourteen digits stay; `13800001234` becomes `138xxxx1234` (no name may hold `*`).
    """
    return _shortened(_LONG_DIGITS.sub(_masked, display_name(original)))


def masked_text(text: str) -> str:
    """Any short text, such as a dialler's call id, with telephone and card numbers masked."""
    return _LONG_DIGITS.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    text = found.group()
    if len(text) == 14 and _moment(text) is not None:
        return text
    if text.isdigit() and len(text) >= 15:
        return text[:6] + "x" * (len(text) - 10) + text[-4:]
    if normal_phone(text) is not None:
        hidden = [index for index, char in enumerate(text) if char.isdigit()][-8:-4]
        return "".join("x" if index in hidden else char for index, char in enumerate(text))
    return text


@dataclass(frozen=True, slots=True)
class Pattern:
    """How a dialler names its files: a regular expression with the groups `phone`, and
    optionally `case_no`, `extension`, `time` (14 digits) or `date` (8) and `clock` (6)."""

    name: str
    regex: str


_PHONE = r"(?P<phone>(?:86)?0?1[3-9]\d{9}|0\d{2,3}-?\d{7,8})"
_TIME = r"(?:(?P<time>20\d{12})|(?P<date>20\d{6})[-_]?(?P<clock>\d{6}))"
_EXTENSION = r"(?P<extension>\d{2,6})"

DEFAULT_PATTERNS: tuple[Pattern, ...] = (
    Pattern("phone_extension_time", rf"(?<!\d){_PHONE}[-_]{_EXTENSION}[-_]{_TIME}(?!\d)"),
    Pattern("extension_phone_time", rf"(?<!\d){_EXTENSION}[-_]{_PHONE}[-_]{_TIME}(?!\d)"),
    Pattern("time_extension_phone", rf"(?<!\d){_TIME}[-_]{_EXTENSION}[-_]{_PHONE}(?!\d)"),
    Pattern("time_phone_extension", rf"(?<!\d){_TIME}[-_]{_PHONE}[-_]{_EXTENSION}(?!\d)"),
    Pattern("phone_time", rf"(?<!\d){_PHONE}[-_]{_TIME}(?!\d)"),
    Pattern("time_phone", rf"(?<!\d){_TIME}[-_]{_PHONE}(?!\d)"),
    Pattern("phone", rf"(?<!\d){_PHONE}(?!\d)"),
)

_STAMP = re.compile(
    r"(?<!\d)20\d{2}[-_. 年]?\d{2}[-_. 月]?\d{2}日?[-_ T]{0,3}"
    r"\d{2}[-_.: 时時]?\d{2}[-_.: 分]?\d{2}秒?(?!\d)",
    re.ASCII,
)
_NO_DIGITS = re.compile(r"\D", re.ASCII)

_GROUPS = frozenset({"phone", "case_no", "extension", "time", "date", "clock"})
_UNBOUNDED = re.compile(r"(?<!\\)(?:\*|\+|\{\d*,\})")
_REPEATED_GROUP = re.compile(r"\)(?:[*+]|\{)")
_BACK_REFERENCE = re.compile(r"\\[1-9]|\(\?P=|\(\?\(")
_MOST_UNBOUNDED = 2

CompiledPatterns = tuple[re.Pattern[str], ...]


def compile_patterns(patterns: Sequence[Pattern] = DEFAULT_PATTERNS) -> CompiledPatterns:
    """Check and compile patterns, which are settings. Raises `Invalid` with what is wrong.

    Python's regular expressions know no time limit, so what could run away is refused: repeated
    groups, back references, more than two unbounded repetitions. Names are bounded as well.
    """
    if len(patterns) > _MAX_PATTERNS:
        raise Invalid(
            phrase("There are more than %(most)s file name patterns.", most=_MAX_PATTERNS)
        )
    return tuple(_compiled(pattern) for pattern in patterns)


def _compiled(pattern: Pattern) -> re.Pattern[str]:
    regex = pattern.regex
    runaway = (
        len(regex) > _MAX_PATTERN
        or _REPEATED_GROUP.search(regex)
        or _BACK_REFERENCE.search(regex)
        or len(_UNBOUNDED.findall(regex)) > _MOST_UNBOUNDED
    )
    if runaway:
        raise Invalid(
            phrase("The file name pattern “%(name)s” could run without end.", name=pattern.name),
            phrase("Do not repeat groups; write how many characters a part has, such as {2,6}."),
        )
    try:
        compiled = re.compile(regex, re.ASCII)
    except re.error as error:
        raise Invalid(
            phrase("The file name pattern “%(name)s” is not valid.", name=pattern.name),
            str(error),
        ) from error
    groups = set(compiled.groupindex)
    if not groups & {"phone", "case_no"} or groups - _GROUPS:
        raise Invalid(
            phrase("The file name pattern “%(name)s” names the wrong parts.", name=pattern.name),
            phrase(
                "It needs a part called phone or case_no; it may have extension, time, date and "
                "clock."
            ),
        )
    return compiled


DEFAULTS = compile_patterns()
_VISIT_WORDS = ("外访", "外訪", "上门", "上門", "实地", "實地", "visit", "field")
_RECORDING_WORDS = ("录音", "錄音", "通话", "通話", "recording", "call", "audio", "voice")
_RECORD_WORDS = ("记录", "記錄", "紀錄", "催记", "催記", "台账", "台帳", "notes", "log", "record")


def candidates(path: str, patterns: CompiledPatterns = DEFAULTS) -> Candidates:
    """Read a file's name, and the folders it was dropped in, for what it may belong to."""
    parts = [_plain(part) for part in re.split(r"[/\\]", path[-_MAX_NAME:]) if part][-4:]
    name = parts[-1] if parts else ""
    file_kind = kind_of_name(name)
    stems = [*parts[:-1], _ENDING.sub("", name)]
    calls: dict[Call, None] = {}
    numbers: dict[str, None] = {}
    for stem in reversed(stems):
        for pattern in patterns:
            for found in pattern.finditer(stem):
                _take(found, calls, numbers)
    pieces = tuple(tuple(ALPHANUMERIC.findall(stem))[:_MAX_SEGMENTS] for stem in reversed(stems))
    said = _said(parts, file_kind)
    kind = said or _usual(file_kind)
    found_calls = _most_telling(calls)
    stamps = (_moment(_NO_DIGITS.sub("", found.group())) for found in _STAMP.finditer(stems[-1]))
    moments = tuple(at for at in stamps if at is not None)
    return Candidates(
        pieces, tuple(numbers), found_calls, kind, said is not None, file_kind, moments
    )


def _take(found: re.Match[str], calls: dict[Call, None], numbers: dict[str, None]) -> None:
    """Note what one place in a name says."""
    groups: Mapping[str, str | None] = found.groupdict()
    if case_no := groups.get("case_no"):
        numbers[case_no] = None
    phone = normal_phone(groups.get("phone") or "")
    if phone:
        stamp = groups.get("time") or (groups.get("date") or "") + (groups.get("clock") or "")
        calls[Call(phone, groups.get("extension") or "", _moment(stamp))] = None


def _most_telling(calls: Iterable[Call]) -> tuple[Call, ...]:
    """Calls with a time first, and no number twice."""
    ranked = sorted(calls, key=lambda call: (call.at is None, not call.extension))
    return tuple({call.phone: call for call in reversed(ranked)}.values())[::-1]


def _moment(stamp: str) -> datetime | None:
    """Fourteen digits of a Beijing clock as aware UTC; None if they are no time."""
    try:
        local = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError:
        return None
    return local.astimezone(UTC)


def _said(parts: Sequence[str], file_kind: FileKind | None) -> MaterialKind | None:
    """The kind of material by a word in the name, else in its folders; None without one."""
    sound = file_kind is not None and file_kind.is_audio
    for part in reversed(parts):
        text = part.casefold()
        recording = any(word in text for word in _RECORDING_WORDS)
        if sound and any(word in text for word in _VISIT_WORDS):
            return MaterialKind.VISIT_RECORDING
        if sound and recording:
            return MaterialKind.CALL_RECORDING
        if not sound and (recording or any(word in text for word in _RECORD_WORDS)):
            return MaterialKind.COLLECTION_RECORD
    return None


def _usual(file_kind: FileKind | None) -> MaterialKind | None:
    """What such a file mostly is; None for pictures and papers, which may be anything."""
    if file_kind is not None and file_kind.is_audio:
        return MaterialKind.CALL_RECORDING
    return MaterialKind.COLLECTION_RECORD if file_kind is FileKind.XLSX else None


def _plain(part: str) -> str:
    return unicodedata.normalize("NFKC", "".join(c for c in part if _printable(c)))[:_MAX_NAME]


def _printable(char: str) -> bool:
    """Whether a character stands for itself: no control, no direction mark, no half of a pair."""
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _shortened(name: str) -> str:
    """At most `MAX_BYTES` bytes, cut between characters, the ending kept."""
    if len(name.encode()) <= MAX_BYTES:
        return name
    found = _ENDING.search(name)
    ending = found.group() if found else ""
    room = MAX_BYTES - len(ending)
    stem = name[: len(name) - len(ending)].encode()[:room].decode(errors="ignore")
    return stem.rstrip(" .") + ending
