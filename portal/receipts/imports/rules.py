"""Pure checks of imported receipts: what the columns alone cannot tell (C3.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

from portal.cases.imports import rules as case_rules
from portal.cases.imports.rules import fold
from portal.files.columns import Row, Table
from portal.files.problems import CellError, Param
from portal.kernel.phrases import Phrase, phrase
from portal.receipts.rules import exclusion

_SHOWN = 64
_MESSAGES: Mapping[str, Phrase] = MappingProxyType(
    {
        "case_unknown": phrase(
            "No vendor has a case with this number. Correct it, or import the case first."
        ),
        "case_not_there": phrase(
            "%(vendor)s has no case with this number. Correct the number or the vendor."
        ),
        "case_ambiguous": phrase(
            "Several vendors have a case with this number: %(vendors)s. Fill in the vendor."
        ),
        "credited_future": phrase(
            "The day lies in the future. Import the receipt when the money is there."
        ),
        "amount_zero": phrase("The amount is zero. Type what was credited, or delete the row."),
        "reversal_unnamed": phrase(
            "A negative amount is a reversal: type here the serial that it takes back."
        ),
        "reversal_positive": phrase(
            "A reversal has a negative amount. Put a minus before it, or empty the last column."
        ),
        "reversal_unknown": phrase(
            "There is no receipt with this serial, in the portal or in this file."
        ),
        "reversal_of_reversal": phrase(
            "This serial is itself a reversal. Name the receipt that was credited."
        ),
        "reversal_wrong_row": phrase(
            "The receipt that it takes back stands in row %(row)s, which is wrong. Mend that first."
        ),
        "reversal_other_case": phrase(
            "That receipt was credited on another case: %(case)s. Correct the serial or the case."
        ),
        "reversal_before": phrase(
            "That receipt was credited later, on %(day)s. Correct one of the days."
        ),
        "reversal_too_much": phrase(
            "Only %(left)s of that receipt are left to take back. Correct the amount."
        ),
        "serial_other": phrase(
            "This serial is in the portal already, with other content (%(case)s, %(day)s, "
            "%(amount)s). A receipt is never changed: correct the serial, or reverse the old one."
        ),
        "before_entrusting": phrase(
            "Credited before the case was entrusted (%(day)s): recorded, but does not count for "
            "commission."
        ),
        "after_return": phrase(
            "Credited after the case was due back (%(day)s): recorded, but does not count for "
            "commission."
        ),
    }
)


def describe(code: str, params: Mapping[str, Param]) -> Phrase:
    """The sentence for an error or a note of this import, or for any file's."""
    if code in _MESSAGES:
        return _MESSAGES[code].filled(params)
    return case_rules.describe(code, params)


@dataclass(frozen=True, slots=True)
class VendorRef:
    """A vendor as a row may name it."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class CaseRef:
    """A case that a row may mean, with its entrusting period."""

    vendor: VendorRef
    id: UUID
    case_no: str
    entrusted_on: date
    due_back_on: date


@dataclass(frozen=True, slots=True)
class Facts:
    """A receipt as a row tells it, or as it is recorded."""

    serial: str
    tenant_id: UUID
    case_id: UUID
    case_no: str
    credited_on: date
    amount: Decimal
    reverses: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A receipt that is in the portal; `left`: what its reversals have not taken back."""

    facts: Facts
    left: Decimal


@dataclass(slots=True)
class Known:
    """What the checks are made against."""

    today: date
    vendors: Mapping[str, VendorRef]
    cases: Mapping[str, Sequence[CaseRef]]
    recorded: Mapping[str, Recorded]


@dataclass(slots=True)
class Findings:
    """What a file holds: new receipts with their rows, those already there, errors, notes."""

    new: list[tuple[int, Facts]] = field(default_factory=list)
    unchanged: int = 0
    bad_rows: int = 0
    errors: list[CellError] = field(default_factory=list)
    notes: list[CellError] = field(default_factory=list)
    excluded: Decimal = Decimal("0.00")


def examine(table: Table, known: Known) -> Findings:
    """Check every row. Reversals come last: they may name a receipt further down the file."""
    return _Checker(table, known).run()


class _Checker:
    """Checks one file: first every row by itself, then the reversals against what they name."""

    def __init__(self, table: Table, known: Known) -> None:
        self._table = table
        self._known = known
        self._found = Findings()
        self._bad: dict[str, int] = {}
        self._fresh: dict[str, Facts] = {}
        self._left = {serial: one.left for serial, one in known.recorded.items()}

    def run(self) -> Findings:
        reversals: list[tuple[int, Facts]] = []
        for row in self._table.rows:
            facts, errors = self._check(row)
            if facts is None:
                self._refuse(row.number, row.values.get("serial"), errors)
            elif facts.serial in self._known.recorded:
                self._compare(row.number, facts)
            elif facts.reverses is not None:
                reversals.append((row.number, facts))
            else:
                self._accept(row.number, facts)
        for number, facts in reversals:
            error = self._reversal(number, facts)
            if error is None:
                self._left[facts.reverses or ""] += facts.amount
                self._accept(number, facts)
            else:
                self._refuse(number, facts.serial, [error])
        found = self._found
        for remarks in (found.errors, found.notes):
            remarks.sort(key=lambda one: (one.row, len(one.letter), one.letter))
        return found

    def _remark(
        self, number: int, key: str, code: str, text: object = "", /, **params: Param
    ) -> CellError:
        titles, letters = self._table.titles, self._table.letters
        title = titles.get(key, key)
        return CellError(number, letters.get(key, ""), title, code, params, str(text)[:_SHOWN])

    def _refuse(self, row: int, serial: str | None, errors: Sequence[CellError]) -> None:
        self._found.bad_rows += 1
        self._found.errors.extend(errors)
        if serial is not None:
            self._bad[serial] = row

    def _accept(self, row: int, facts: Facts) -> None:
        self._fresh[facts.serial] = facts
        if facts.reverses is None:
            self._left[facts.serial] = facts.amount
            self._note(row, facts)
        self._found.new.append((row, facts))

    def _note(self, row: int, facts: Facts) -> None:
        """A receipt outside of the entrusting period is recorded, and known not to count (C7)."""
        case = next(one for one in self._known.cases[facts.case_no] if one.id == facts.case_id)
        why = exclusion(facts.credited_on, case.entrusted_on, case.due_back_on)
        if why is not None:
            limit = case.entrusted_on if facts.credited_on < case.entrusted_on else case.due_back_on
            self._found.excluded += facts.amount
            self._found.notes.append(
                self._remark(
                    row, "credited_on", why.value, facts.credited_on, day=limit.isoformat()
                )
            )

    def _check(self, row: Row) -> tuple[Facts | None, list[CellError]]:
        values, errors = row.values, list(row.errors)
        case, error = self._case(row)
        if error is not None:
            errors.append(error)
        day = values.get("credited_on")
        if day is not None and day > self._known.today:
            errors.append(self._remark(row.number, "credited_on", "credited_future", day))
        amount, reverses = values.get("amount"), values.get("reverses")
        if amount is not None:
            code = _sign(amount, reverses)
            if code is not None:
                key = "reverses" if code == "reversal_unnamed" else "amount"
                errors.append(self._remark(row.number, key, code, amount))
        if errors or case is None or amount is None or day is None:
            errors.sort(key=lambda one: (len(one.letter), one.letter))
            return None, errors
        return (
            Facts(values["serial"], case.vendor.id, case.id, case.case_no, day, amount, reverses),
            [],
        )

    def _case(self, row: Row) -> tuple[CaseRef | None, CellError | None]:
        number, named = row.values.get("case_no"), row.values.get("vendor")
        vendor = self._known.vendors.get(fold(named)) if named is not None else None
        if named is not None and vendor is None:
            return None, self._remark(row.number, "vendor", "vendor_unknown", named)
        if number is None:
            return None, None
        found = [
            one
            for one in self._known.cases.get(number, ())
            if vendor is None or one.vendor.id == vendor.id
        ]
        if len(found) == 1:
            return found[0], None
        if found:
            names = "、".join(sorted(one.vendor.name for one in found))
            return None, self._remark(
                row.number, "case_no", "case_ambiguous", number, vendors=names
            )
        if vendor is not None:
            return None, self._remark(
                row.number, "case_no", "case_not_there", number, vendor=vendor.name
            )
        return None, self._remark(row.number, "case_no", "case_unknown", number)

    def _compare(self, row: int, facts: Facts) -> None:
        """The same serial again: there already, or a contradiction."""
        old = self._known.recorded[facts.serial].facts
        if old == facts:
            self._found.unchanged += 1
            return
        error = self._remark(
            row,
            "serial",
            "serial_other",
            facts.serial,
            case=old.case_no,
            day=old.credited_on.isoformat(),
            amount=f"{old.amount:.2f}",
        )
        self._refuse(row, None, [error])

    def _reversal(self, row: int, facts: Facts) -> CellError | None:
        serial = facts.reverses or ""
        recorded = self._known.recorded.get(serial)
        original = recorded.facts if recorded else self._fresh.get(serial)
        if original is None:
            return self._missing(row, serial)
        if original.reverses is not None:
            return self._remark(row, "reverses", "reversal_of_reversal", serial)
        if (original.tenant_id, original.case_id) != (facts.tenant_id, facts.case_id):
            return self._remark(
                row, "reverses", "reversal_other_case", serial, case=original.case_no
            )
        if facts.credited_on < original.credited_on:
            day = original.credited_on.isoformat()
            return self._remark(row, "credited_on", "reversal_before", facts.credited_on, day=day)
        left = self._left[serial]
        if -facts.amount > left:
            return self._remark(
                row, "amount", "reversal_too_much", facts.amount, left=f"{left:.2f}"
            )
        return None

    def _missing(self, row: int, serial: str) -> CellError:
        if serial in self._bad:
            return self._remark(
                row, "reverses", "reversal_wrong_row", serial, row=self._bad[serial]
            )
        return self._remark(row, "reverses", "reversal_unknown", serial)


def _sign(amount: Decimal, reverses: str | None) -> str | None:
    """What is wrong between the amount's sign and the reversal named."""
    if not amount:
        return "amount_zero"
    if amount < 0 and reverses is None:
        return "reversal_unnamed"
    return "reversal_positive" if amount > 0 and reverses is not None else None
