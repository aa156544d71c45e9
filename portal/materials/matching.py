"""Where dropped files belong, decided from their names before anything is sent (UX 5, C4.1).

The names themselves go nowhere: they are compared with case numbers and, through the blind index,
with telephone, card and call numbers; nothing is logged or stored. How diallers name files is a
scheme ("file_names") that the company edits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.models import Case
from portal.contacts.models import CallRecord
from portal.files import matching, names
from portal.files.kinds import FileKind, kind_of_name
from portal.files.matching import Field, Hint, How, Match, Status
from portal.files.names import masked_name
from portal.kernel import clock
from portal.kernel.phrases import Phrase
from portal.materials.delivered import FileRow, files_of
from portal.materials.kinds import CheckState, ItemState, MaterialKind
from portal.materials.models import MaterialRequest, RequestItem
from portal.materials.queries import call_of_item
from portal.materials.scheme import patterns_in_force
from portal.materials.uploads import formats_of, refusal
from portal.materials.words import item_label
from tenants.vault import DataKey, installed

MOST_NAMES = 500


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file on the desk: the browser's key, its path (or name) and size, and what a list that was
    dropped with it says of it."""

    key: str
    path: str
    size: int
    hint: Hint | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.replace("\\", "/").rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the desk shows for one file. `proposal`: the item that a name nearly right may mean, for
    a person to confirm with one click; `how` is the reason's code."""

    key: str
    status: str
    item_id: UUID | None
    item_label: str
    message: str
    choices: tuple[tuple[UUID, str], ...]
    how: str = ""
    proposal: tuple[UUID, str] | None = None


@dataclass(frozen=True, slots=True)
class _Open:
    """An item that still takes files; a call's where it is one call's recording."""

    id: UUID
    case_id: UUID
    case_no: str
    kind: str
    state: str
    phone_index: bytes
    card_index: bytes
    call_phone: bytes | None
    call_index: bytes | None
    started_at: datetime | None
    extension: str | None

    @property
    def label(self) -> str:
        """The item for people."""
        return item_label(self.case_no, self.kind, self.started_at)


def _open_items(session: Session, request: MaterialRequest) -> list[_Open]:
    rows = session.execute(
        _items_of(request)
        .where(RequestItem.state.not_in((ItemState.ACCEPTED, ItemState.CANCELLED)))
        .order_by(RequestItem.case_no, CallRecord.started_at, RequestItem.id)
    )
    return [_Open(*row) for row in rows]


def _items_of(request: MaterialRequest) -> Any:
    return (
        sa.select(
            RequestItem.id,
            RequestItem.case_id,
            RequestItem.case_no,
            RequestItem.kind,
            RequestItem.state,
            Case.phone_index,
            Case.card_index,
            CallRecord.phone_index,
            CallRecord.call_index,
            CallRecord.started_at,
            CallRecord.extension,
        )
        .join(
            Case, sa.and_(Case.tenant_id == RequestItem.tenant_id, Case.id == RequestItem.case_id)
        )
        .outerjoin(CallRecord, call_of_item())
        .where(
            RequestItem.tenant_id == request.tenant_id,
            RequestItem.request_id == request.id,
        )
    )


def choices(session: Session, request: MaterialRequest) -> tuple[tuple[UUID, str], ...]:
    """Every item that a file may be put to by hand."""
    return tuple((item.id, item.label) for item in _open_items(session, request))


def match_files(
    session: Session, request: MaterialRequest, files: Sequence[Dropped], listed: Sequence[Dropped]
) -> list[Answer]:
    """Place `files`; `listed` are on the desk already, so that a second copy is seen as such."""
    items = _open_items(session, request)
    key = installed().key(session, request.tenant_id)
    every = frozenset(FileKind(name) for entry in request.wanted for name in entry["formats"])
    dropped = (*listed, *files)
    standing = _standing_files(session, items)
    found = matching.match(
        [file.path for file in dropped],
        _expected(items, _names_of(standing)),
        blind=lambda field, text: key.index(field.value, text),
        patterns=patterns_in_force(session, clock.today()),
        hints={file.path: file.hint for file in dropped if file.hint is not None},
    )[len(listed) :]
    known = {item.id: item for item in items}
    here = {
        (one.safe_name, one.size): item_id for item_id, ones in standing.items() for one in ones
    }
    answers = []
    for file, answer in zip(files, found, strict=True):
        refused = refusal(file.name, file.size, every)
        if refused:
            answers.append(_refused(file, refused))
        else:
            settled = _once_sent(file, _settled(request, known, file, answer), here)
            answers.append(_answer(request, file, settled, known))
    return answers


def _once_sent(file: Dropped, answer: Match, here: Mapping[tuple[str, int], UUID]) -> Match:
    """A file that somebody put to its item by hand is known again when its folder is dropped once
    more: the same name and the same size are there."""
    if answer.status not in (Status.UNMATCHED, Status.UNEXPECTED):
        return answer
    item_id = here.get((masked_name(answer.name), file.size))
    if item_id is None:
        return answer
    return replace(
        answer, status=Status.DUPLICATE, how=How.DELIVERED, item=str(item_id), proposal=None
    )


def _expected(items: Sequence[_Open], delivered: Mapping[UUID, set[str]]) -> list[matching.Item]:
    """The items as the matcher knows them. A call's recording goes by the number that was called;
    a case's other materials by any number of the case."""
    numbers: dict[UUID, set[bytes]] = {}
    for item in items:
        own = numbers.setdefault(item.case_id, {item.phone_index})
        if item.call_phone is not None:
            own.add(item.call_phone)
    return [
        matching.Item(
            str(item.id),
            item.case_no,
            frozenset(numbers[item.case_id] if item.call_phone is None else (item.call_phone,)),
            frozenset((names.MaterialKind(item.kind),)),
            frozenset(delivered.get(item.id, ())),
            item.card_index,
            item.call_index,
            item.started_at,
            item.extension or "",
            bool(delivered.get(item.id)),
        )
        for item in items
    ]


def _standing_files(session: Session, items: Sequence[_Open]) -> Mapping[UUID, Sequence[FileRow]]:
    """The files that items have and that need no replacing."""
    standing = [item.id for item in items if item.state != ItemState.RETURNED]
    return {
        item_id: [
            file
            for file in files
            if file.state == "current" and file.check_state != CheckState.PROBLEM
        ]
        for item_id, files in files_of(session, standing).items()
    }


def _names_of(standing: Mapping[UUID, Sequence[FileRow]]) -> Mapping[UUID, set[str]]:
    """Their masked names."""
    return {item_id: {file.safe_name for file in files} for item_id, files in standing.items()}


def _settled(
    request: MaterialRequest, known: Mapping[UUID, _Open], file: Dropped, answer: Match
) -> Match:
    """Where a name leaves several kinds of material open, the type of the file may decide."""
    if answer.how not in (How.SEVERAL_ITEMS, How.KIND_NOT_WANTED):
        return answer
    claimed = kind_of_name(file.name)
    fitting = [
        item_id
        for item_id in answer.others
        if claimed in formats_of(request, known[UUID(item_id)].kind)
        and known[UUID(item_id)].kind != MaterialKind.OTHER
    ]
    if len(fitting) != 1:
        return answer
    return Match(answer.name, Status.MATCHED, How.CASE_NUMBER, fitting[0], answer.kind)


def _refused(file: Dropped, why: tuple[Phrase, Phrase]) -> Answer:
    return Answer(file.key, "refused", None, "", f"{why[0]} {why[1]}", ())


def _answer(
    request: MaterialRequest, file: Dropped, found: Match, known: Mapping[UUID, _Open]
) -> Answer:
    item = known[UUID(found.item)] if found.item else None
    if item is not None and found.status is Status.MATCHED:
        refused = refusal(file.name, file.size, formats_of(request, item.kind))
        if refused:
            return _refused(file, refused)
    others = [known[UUID(other)] for other in found.others]
    proposed = _proposed(request, file, found, known)
    return Answer(
        file.key,
        found.status.value,
        item.id if item else None,
        item.label if item else "",
        str(found.how.sentence),
        tuple((other.id, other.label) for other in others),
        found.how.value,
        (proposed.id, proposed.label) if proposed is not None else None,
    )


def _proposed(
    request: MaterialRequest, file: Dropped, found: Match, known: Mapping[UUID, _Open]
) -> _Open | None:
    """The item that the name may mean, if it takes such a file."""
    if found.proposal is None:
        return None
    item = known[UUID(found.proposal)]
    if refusal(file.name, file.size, formats_of(request, item.kind)):
        return None
    return item


def hows_of(
    session: Session, request: MaterialRequest, files: Sequence[tuple[str, UUID, Hint | None]]
) -> list[str]:
    """How files (path, item, hint) came to their items: by name, by a list, or by hand. For the
    record."""
    wanted = {item_id for _path, item_id, _hint in files}
    rows = session.execute(_items_of(request).where(RequestItem.id.in_(wanted)))
    items = {row.id: _Open(*row) for row in rows}
    key: DataKey = installed().key(session, request.tenant_id)
    patterns = patterns_in_force(session, clock.today())
    hows = []
    for path, item_id, hint in files:
        if item_id not in items:
            hows.append("by_hand")
            continue
        (found,) = matching.match(
            [path],
            _expected([items[item_id]], {}),
            blind=lambda field, text: key.index(Field(field).value, text),
            patterns=patterns,
            hints={path: hint} if hint is not None else None,
        )
        hows.append(found.how.value if found.status is Status.MATCHED else "by_hand")
    return hows
