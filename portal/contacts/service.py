"""Take a dialler's list of calls: keep the file, find each row's case, record what is new (A3).

Personal data are sealed on the way in (C4.1). A list only ever adds: nobody can make a call that
was recorded unhappen by a shorter list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import IO, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.models import Case
from portal.cases.rules import mask_phone
from portal.contacts.models import CallList, CallRecord
from portal.contacts.rules import Direction, Known, Seen
from portal.contacts.sheet import is_connected
from portal.files.columns import Row, Table
from portal.files.matching import squashed
from portal.files.names import masked_text
from portal.files.problems import CellError
from portal.files.service import keep
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import NotFound
from tenants.rows import new_id
from tenants.vault import DataKey, installed

MAX_BYTES = 20 * 1024 * 1024
KEPT_ERRORS = 500
"""So many wrong cells of a list are kept; all are counted."""
MOST_OF_A_CASE = 1_000
"""New calls of one case that one list may tell of: more is a wrong column, and each of them would
be owed a recording."""
_CHUNK = 1_000
_ADVISORY = 7305022
_AHEAD = timedelta(minutes=10)
CALL, PHONE = "call_records.call", "call_records.phone"


@dataclass(slots=True)
class Taken:
    """What became of a list's rows. `cases`: whose calls are new or were changed."""

    new: int = 0
    known: int = 0
    bad: int = 0
    errors: list[CellError] = field(default_factory=list)
    cases: set[UUID] = field(default_factory=set)


def add_list(
    session: Session,
    stream: IO[bytes] | bytes,
    *,
    tenant_id: UUID,
    name: str,
    media_type: str,
    actor: Actor,
) -> CallList:
    """Keep an uploaded list of a vendor's calls; the caller has it taken by a job.

    The company's own list, and its file, stay hidden from the vendor.
    """
    now = clock.now()
    ending = "xlsx" if name.lower().endswith(".xlsx") else "csv"
    file = keep(
        session,
        stream,
        tenant_id=tenant_id,
        purpose="contacts.list",
        original_name=name,
        safe_name=f"calls-{clock.beijing(now):%Y%m%d-%H%M%S}.{ending}",
        media_type=media_type,
        actor=actor,
    )
    if actor.is_company:
        file.issued_at = None
    row = CallList(
        tenant_id=tenant_id,
        id=new_id(),
        file_id=file.id,
        sha256=file.sha256,
        safe_name=file.safe_name,
        by_company=actor.is_company,
        state="uploaded",
        report={},
        uploaded_at=now,
        uploaded_by=actor.account_id,
        uploaded_by_name=actor.name,
        issued_at=None if actor.is_company else now,
    )
    session.add(row)
    session.flush()
    _journal(session, row, "uploaded", {"sha256": row.sha256}, actor=actor)
    return row


def _journal(
    session: Session, row: CallList, verb: str, data: Mapping[str, Any], *, actor: Actor
) -> None:
    """The company's list is the company's business: its entry stands in the company's journal."""
    record(
        session,
        f"contacts.list.{verb}",
        ("call_list", row.id),
        actor=actor,
        tenant_id=actor.company_id if row.by_company else row.tenant_id,
        data=dict(data),
    )


def get_list(session: Session, list_id: UUID, *, lock: bool = False) -> CallList:
    """A list that the scope sees; raises `NotFound`."""
    statement = sa.select(CallList).where(CallList.id == list_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("call list")
    return row


def take(session: Session, row: CallList, table: Table, *, actor: Actor) -> Taken:
    """Record the calls of a list that was read. Good rows are taken, wrong ones are named by row
    and column; the same list twice changes nothing."""
    found = Taken()
    if table.file_errors:
        row.state = "refused"
    else:
        _lock(session, row.tenant_id)
        _Taking(session, row, table, found).run()
        row.state = "taken"
    row.taken_at = clock.now()
    row.report = {
        "file_errors": [asdict(problem) for problem in table.file_errors],
        "counts": {
            "rows": len(table.rows),
            "new": found.new,
            "known": found.known,
            "bad": found.bad,
            "errors": len(found.errors),
        },
        "errors": [asdict(error) for error in found.errors[:KEPT_ERRORS]],
    }
    session.flush()
    _journal(session, row, row.state, row.report["counts"], actor=actor)
    return found


def _lock(session: Session, tenant_id: UUID) -> None:
    """One list of a vendor at a time, so that no two take the same call as new."""
    session.execute(
        sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY, sa.func.hashtext(str(tenant_id))))
    )


class _Taking:
    """The rows of one list, against the cases and calls that are known."""

    def __init__(self, session: Session, row: CallList, table: Table, found: Taken) -> None:
        self._session = session
        self._list = row
        self._table = table
        self._found = found
        self._key: DataKey = installed().key(session, row.tenant_id)
        self._calls: dict[UUID, list[CallRecord]] = {}
        self._known: dict[UUID, Known] = {}
        self._new_of = Counter[UUID]()

    def run(self) -> None:
        """Take chunk by chunk."""
        rows = self._table.rows
        for start in range(0, len(rows), _CHUNK):
            self._take(rows[start : start + _CHUNK])
            self._session.flush()

    def _take(self, rows: Sequence[Row]) -> None:
        by_no, by_phone = self._cases(rows)
        placed: list[tuple[Row, UUID]] = []
        for row in rows:
            errors = list(row.errors) or self._checked(row, by_no, by_phone)
            if errors:
                self._found.bad += 1
                self._found.errors += errors
            else:
                number = row.values.get("case_no")
                one = by_no[number] if number else by_phone[self._phone(row)][0]
                placed.append((row, one))
        self._load({case_id for _row, case_id in placed})
        for row, case_id in placed:
            self._record(row, case_id)

    def _phone(self, row: Row) -> bytes:
        return self._key.index("phone", row.values["phone"])

    def _cases(self, rows: Iterable[Row]) -> tuple[dict[str, UUID], dict[bytes, list[UUID]]]:
        """The vendor's cases by number, and by number called where a row names no case."""
        numbers = {number for row in rows if (number := row.values.get("case_no"))}
        phones = {
            self._phone(row)
            for row in rows
            if not row.values.get("case_no") and row.values.get("phone")
        }
        found = self._session.execute(
            sa.select(Case.id, Case.case_no, Case.phone_index).where(
                Case.tenant_id == self._list.tenant_id,
                sa.or_(Case.case_no.in_(numbers), Case.phone_index.in_(phones)),
            )
        ).all()
        by_phone: dict[bytes, list[UUID]] = {}
        for case in found:
            by_phone.setdefault(case.phone_index, []).append(case.id)
        return {case.case_no: case.id for case in found}, by_phone

    def _checked(
        self, row: Row, by_no: Mapping[str, UUID], by_phone: Mapping[bytes, Sequence[UUID]]
    ) -> list[CellError]:
        """What is wrong with a row whose cells are well formed."""
        number = row.values.get("case_no")
        if number and number not in by_no:
            return [self._error(row, "case_no", "unknown_case", number)]
        if not number:
            cases = by_phone.get(self._phone(row), ())
            if len(cases) != 1:
                return [
                    self._error(row, "phone", "phone_of_several" if cases else "phone_of_no_case")
                ]
        if row.values["started_at"] > clock.now() + _AHEAD:
            return [self._error(row, "started_at", "in_future")]
        return []

    def _error(self, row: Row, key: str, code: str, shown: str = "") -> CellError:
        table = self._table
        letter, title = table.letters.get(key, ""), table.titles.get(key, "")
        return CellError(row.number, letter, title, code, {}, shown)

    def _load(self, case_ids: set[UUID]) -> None:
        """The calls recorded of cases that were not met before."""
        wanted = case_ids - self._calls.keys()
        self._calls |= {case_id: [] for case_id in wanted}
        self._known |= {case_id: Known() for case_id in wanted}
        for call in self._session.scalars(
            sa.select(CallRecord).where(
                CallRecord.tenant_id == self._list.tenant_id, CallRecord.case_id.in_(wanted)
            )
        ):
            seen = Seen(call.phone_index, call.started_at, call.extension, call.call_index)
            self._calls[call.case_id].append(call)
            self._known[call.case_id].add(seen)

    def _record(self, row: Row, case_id: UUID) -> None:
        values = row.values
        call_id = values.get("call_id") or ""
        seen = Seen(
            self._phone(row),
            values["started_at"],
            values.get("extension") or "",
            self._key.index("call_id", squashed(call_id)) if call_id else None,
        )
        at = self._known[case_id].find(seen)
        if at is not None:
            self._meet(row, self._calls[case_id][at])
            return
        if self._new_of[case_id] >= MOST_OF_A_CASE:
            self._found.bad += 1
            error = self._error(row, "case_no", "too_many_of_case")
            self._found.errors.append(replace(error, params={"most": MOST_OF_A_CASE}))
            return
        self._new_of[case_id] += 1
        call = self._new(seen, values, case_id, call_id)
        self._session.add(call)
        self._calls[case_id].append(call)
        self._known[case_id].add(seen)
        self._found.new += 1
        self._found.cases.add(case_id)

    def _meet(self, row: Row, call: CallRecord) -> None:
        """A call that is known: note whose list has it; the company's word on it stands."""
        seconds, connected = row.values["seconds"], is_connected(row.values)
        differs = connected != call.connected or abs(seconds - call.seconds) > max(
            5, call.seconds // 10
        )
        if differs and not self._list.by_company:
            self._found.bad += 1
            self._found.errors.append(self._error(row, "seconds", "call_differs"))
            return
        if self._list.by_company:
            call.company_list_id = call.company_list_id or self._list.id
            if differs:
                call.seconds, call.connected = seconds, connected
                self._found.cases.add(call.case_id)
        else:
            call.vendor_list_id = call.vendor_list_id or self._list.id
        self._found.known += 1

    def _new(
        self, seen: Seen, values: Mapping[str, Any], case_id: UUID, call_id: str
    ) -> CallRecord:
        made, company = new_id(), self._list.by_company
        return CallRecord(
            tenant_id=self._list.tenant_id,
            id=made,
            case_id=case_id,
            call_sealed=self._key.seal(CALL, made, call_id) if call_id else None,
            call_shown=masked_text(call_id),
            call_index=seen.call_id,
            phone_sealed=self._key.seal(PHONE, made, values["phone"]),
            phone_masked=mask_phone(values["phone"]),
            phone_index=seen.phone,
            extension=seen.extension,
            agent=values.get("agent") or "",
            started_at=seen.at,
            seconds=values["seconds"],
            connected=is_connected(dict(values)),
            direction=values.get("direction") or Direction.OUT.value,
            vendor_list_id=None if company else self._list.id,
            company_list_id=self._list.id if company else None,
            created_at=clock.now(),
        )
