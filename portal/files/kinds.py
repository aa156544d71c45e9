"""The kinds of file that the portal takes, their names and types."""

from __future__ import annotations

from enum import StrEnum


class FileKind(StrEnum):
    """What a file is, found from its content; never from its name."""

    WAV = "wav"
    MP3 = "mp3"
    M4A = "m4a"
    AMR = "amr"
    PDF = "pdf"
    XLSX = "xlsx"
    JPEG = "jpeg"
    PNG = "png"

    @property
    def is_audio(self) -> bool:
        """Whether it is a recording."""
        return self in AUDIO

    @property
    def is_image(self) -> bool:
        """Whether it is a picture."""
        return self in IMAGES

    @property
    def label(self) -> str:
        """What people call it, in every language."""
        return self.value.upper()

    @property
    def media_type(self) -> str:
        """The type under which it is served."""
        return _MEDIA_TYPES[self]

    @property
    def extensions(self) -> tuple[str, ...]:
        """File name endings without the dot, the usual one first."""
        return _EXTENSIONS[self]


AUDIO = frozenset({FileKind.WAV, FileKind.MP3, FileKind.M4A, FileKind.AMR})
IMAGES = frozenset({FileKind.JPEG, FileKind.PNG})
ALL = frozenset(FileKind)

_MEDIA_TYPES = {
    FileKind.WAV: "audio/wav",
    FileKind.MP3: "audio/mpeg",
    FileKind.M4A: "audio/mp4",
    FileKind.AMR: "audio/amr",
    FileKind.PDF: "application/pdf",
    FileKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileKind.JPEG: "image/jpeg",
    FileKind.PNG: "image/png",
}
_EXTENSIONS = {
    FileKind.WAV: ("wav", "wave"),
    FileKind.MP3: ("mp3",),
    FileKind.M4A: ("m4a", "mp4"),
    FileKind.AMR: ("amr", "awb"),
    FileKind.PDF: ("pdf",),
    FileKind.XLSX: ("xlsx",),
    FileKind.JPEG: ("jpg", "jpeg", "jpe", "jfif"),
    FileKind.PNG: ("png",),
}
_BY_EXTENSION = {name: kind for kind, names in _EXTENSIONS.items() for name in names}


def kind_of_name(name: str) -> FileKind | None:
    """The kind that a file name's ending claims, if it is one of ours."""
    return _BY_EXTENSION.get(extension_of(name))


def extension_of(name: str) -> str:
    """A file name's ending in lower case, without the dot; empty if there is none."""
    stem, dot, ending = name.rpartition(".")
    return ending.strip().lower() if dot and stem and len(ending) <= 8 else ""
