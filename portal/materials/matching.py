"""Where dropped files belong, decided from their names before anything is sent (UX 5, C4.1).

The names themselves go nowhere: they are compared with case numbers and, through the blind index,
with telephone numbers; nothing is logged or stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.models import Case
from portal.files import matching, names
from portal.files.kinds import FileKind, kind_of_name
from portal.files.matching import How, Match, Status
from portal.kernel.phrases import Phrase
from portal.materials.items import files_of
from portal.materials.kinds import CheckState, ItemState, MaterialKind
from portal.materials.models import MaterialRequest, RequestItem
from portal.materials.uploads import formats_of, refusal
from portal.materials.words import KINDS
from tenants.vault import installed

MOST_NAMES = 500


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file on the desk: the browser's key, its path (or name) and size."""

    key: str
    path: str
    size: int

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.replace("\\", "/").rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the desk shows for one file."""

    key: str
    status: str
    item_id: UUID | None
    item_label: str
    message: str
    choices: tuple[tuple[UUID, str], ...]


@dataclass(frozen=True, slots=True)
class _Open:
    """An item that still takes files."""

    id: UUID
    case_no: str
    kind: str
    state: str
    phone_index: bytes


def label(case_no: str, kind: str) -> str:
    """An item for people: case number and kind of material."""
    return f"{case_no} · {KINDS[kind]}"


def _open_items(session: Session, request: MaterialRequest) -> list[_Open]:
    rows = session.execute(
        sa.select(
            RequestItem.id,
            RequestItem.case_no,
            RequestItem.kind,
            RequestItem.state,
            Case.phone_index,
        )
        .join(
            Case, sa.and_(Case.tenant_id == RequestItem.tenant_id, Case.id == RequestItem.case_id)
        )
        .where(
            RequestItem.tenant_id == request.tenant_id,
            RequestItem.request_id == request.id,
            RequestItem.state != ItemState.ACCEPTED,
        )
        .order_by(RequestItem.case_no, RequestItem.id)
    )
    return [_Open(*row) for row in rows]


def choices(session: Session, request: MaterialRequest) -> tuple[tuple[UUID, str], ...]:
    """Every item that a file may be put to by hand."""
    return tuple(
        (item.id, label(item.case_no, item.kind)) for item in _open_items(session, request)
    )


def match_files(
    session: Session, request: MaterialRequest, files: Sequence[Dropped], listed: Sequence[Dropped]
) -> list[Answer]:
    """Place `files`; `listed` are on the desk already, so that a second copy is seen as such."""
    items = _open_items(session, request)
    delivered = _delivered_names(session, items)
    key = installed().key(session, request.tenant_id)
    expected = [
        matching.Item(
            str(item.id),
            item.case_no,
            frozenset((item.phone_index,)),
            frozenset((names.MaterialKind(item.kind),)),
            frozenset(delivered.get(item.id, ())),
        )
        for item in items
    ]
    every = frozenset(FileKind(name) for entry in request.wanted for name in entry["formats"])
    found = matching.match(
        [file.path for file in (*listed, *files)],
        expected,
        phone_key=lambda phone: key.index("phone", phone),
    )[len(listed) :]
    known = {item.id: item for item in items}
    answers = []
    for file, answer in zip(files, found, strict=True):
        refused = refusal(file.name, file.size, every)
        if refused:
            answers.append(_refused(file, refused))
        else:
            answers.append(_answer(request, file, _settled(request, known, file, answer), known))
    return answers


def _delivered_names(session: Session, items: Sequence[_Open]) -> Mapping[UUID, set[str]]:
    """Masked names of the files that an item has and that need no replacing."""
    standing = [item.id for item in items if item.state != ItemState.RETURNED]
    return {
        item_id: {
            file.safe_name
            for file in files
            if file.state == "current" and file.check_state != CheckState.PROBLEM
        }
        for item_id, files in files_of(session, standing).items()
    }


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
    return Answer(
        file.key,
        found.status.value,
        item.id if item else None,
        label(item.case_no, item.kind) if item else "",
        str(found.how.sentence),
        tuple((other.id, label(other.case_no, other.kind)) for other in others),
    )


def how_of(session: Session, request: MaterialRequest, path: str, item_id: UUID) -> str:
    """How a file came to its item: by its name, or by hand. For the record of the delivery."""
    row = session.execute(
        sa.select(RequestItem.case_no, RequestItem.kind, Case.phone_index)
        .join(
            Case, sa.and_(Case.tenant_id == RequestItem.tenant_id, Case.id == RequestItem.case_id)
        )
        .where(RequestItem.tenant_id == request.tenant_id, RequestItem.id == item_id)
    ).first()
    if row is None:
        return "by_hand"
    key = installed().key(session, request.tenant_id)
    item = matching.Item(str(item_id), row.case_no, frozenset((row.phone_index,)))
    (found,) = matching.match([path], [item], phone_key=lambda phone: key.index("phone", phone))
    return found.how.value if found.status is Status.MATCHED else "by_hand"
