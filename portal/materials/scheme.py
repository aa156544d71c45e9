"""Which materials are wanted of a drawn case: versioned data that the company edits (A3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from portal.files.names import (
    DEFAULT_PATTERNS,
    DEFAULTS,
    CompiledPatterns,
    Pattern,
    compile_patterns,
)
from portal.kernel.errors import Invalid, PortalError
from portal.kernel.phrases import phrase
from portal.materials.kinds import MaterialKind
from portal.materials.rules import WINDOW_DAYS, Wanted, parse_wanted, window, window_days
from portal.schemes.service import Content, SchemeKind, as_mapping, in_force, register

RECORDINGS = ["wav", "mp3", "m4a", "amr"]
DOCUMENTS = ["xlsx", "pdf", "jpeg", "png"]


def default_content() -> Content:
    """The shipped default: record and call recordings required, field visits if they exist."""
    return {
        "window_days": WINDOW_DAYS,
        "kinds": [
            {
                "kind": MaterialKind.COLLECTION_RECORD.value,
                "required": True,
                "asked": True,
                "name": "催收记录",
                "requirement": "期间内该个案的全部催收记录，含拨打时间、号码、通话结果、谈话要点及承诺还款情况。",  # noqa: E501
                "formats": DOCUMENTS,
            },
            {
                "kind": MaterialKind.CALL_RECORDING.value,
                "required": True,
                "asked": True,
                "name": "催收录音",
                "requirement": "期间内每一通已接通电话的完整录音，与话单逐条对应。",
                "formats": RECORDINGS,
            },
            {
                "kind": MaterialKind.VISIT_RECORDING.value,
                "required": False,
                "asked": True,
                "name": "外访录音",
                "requirement": "如有外访，提交全程录音；未外访的无须提交。",
                "formats": RECORDINGS,
            },
            {
                "kind": MaterialKind.OTHER.value,
                "required": False,
                "asked": False,
                "name": "其他材料",
                "requirement": "调取通知所列的其他材料。",
                "formats": [*DOCUMENTS, *RECORDINGS],
            },
        ],
    }


MATERIALS_WANTED = register(
    SchemeKind(
        "materials_wanted",
        phrase("Materials wanted of a case"),
        default_content,
        parse_wanted,
        published=True,
    )
)


def _check_patterns(content: Content) -> object:
    """Patterns that compile and cannot run without end; raises `ValueError`."""
    try:
        return _compiled(content)
    except PortalError as error:
        raise ValueError(f"{error.message} {error.mend}") from error


def _compiled(content: Content) -> CompiledPatterns:
    return compile_patterns(
        [Pattern(str(entry["name"]), str(entry["regex"])) for entry in content["patterns"]]
    )


def default_patterns() -> Content:
    """The shipped ways in which diallers name recordings."""
    return {"patterns": [{"name": one.name, "regex": one.regex} for one in DEFAULT_PATTERNS]}


FILE_NAMES = register(
    SchemeKind(
        "file_names",
        phrase("How diallers name files"),
        default_patterns,
        _check_patterns,
        published=True,
    )
)


def patterns_in_force(session: Session, day: date) -> CompiledPatterns:
    """The patterns by which names of files are read on `day`."""
    version = in_force(session, FILE_NAMES, day)
    return DEFAULTS if version.is_default else _compiled(version.content)


def window_in_force(session: Session, day: date) -> tuple[date, date]:
    """The days whose calls a request issued on `day` asks for."""
    return window(day, window_days(in_force(session, MATERIALS_WANTED, day).content))


def wanted_by_default(session: Session, day: date) -> tuple[Wanted, ...]:
    """What a draw asks for unless somebody chooses otherwise, by the scheme in force on `day`."""
    kinds = parse_wanted(in_force(session, MATERIALS_WANTED, day).content)
    return tuple(
        Wanted(entry["kind"], entry["required"]) for entry in kinds.values() if entry["asked"]
    )


def frozen_wanted(
    session: Session, day: date, wanted: Sequence[Wanted]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The kinds asked for with their texts and formats, to be kept with the request, and the
    scheme's version. Raises `Invalid` when the scheme does not know a kind."""
    version = in_force(session, MATERIALS_WANTED, day)
    known = parse_wanted(version.content)
    frozen = []
    for one in wanted:
        entry = known.get(MaterialKind(one.kind))
        if entry is None:
            raise Invalid(
                phrase("The scheme of materials wanted has no entry for one of the kinds chosen."),
                phrase("Add it to the scheme, or leave it out."),
            )
        kept = {key: value for key, value in entry.items() if key != "asked"}
        frozen.append({**kept, "required": one.required})
    return frozen, dict(as_mapping(version))
