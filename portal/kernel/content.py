"""Reading editable data (schemes) from JSON with errors that name the place and say how to mend.

A `Reader` walks the content, gathers every problem, and hands out stand-ins for what is wrong, so
that one edit shows all of its mistakes; `done()` raises them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from portal.kernel.phrases import Phrase, phrase

Choice = TypeVar("Choice", bound=StrEnum)

MAX_TEXT = 500


class ContentError(ValueError):
    """Content that cannot be used; `problems` lists why, `str()` joins them."""

    def __init__(self, problems: Iterable[Phrase]) -> None:
        """`problems`: one message each, with its place."""
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """All problems in the reader's language, one a line."""
        return "\n".join(str(problem) for problem in self.problems)


class Reader:
    """One place in the content: `Reader(content).field("tax_rate").number(0, 1)`."""

    def __init__(self, value: Any, where: str = "", problems: list[Phrase] | None = None) -> None:
        """`where` is the path shown in messages; `problems` is shared by a whole walk."""
        self.value = value
        self.where = where
        self._problems: list[Phrase] = [] if problems is None else problems

    @property
    def sound(self) -> bool:
        """Whether nothing was found wrong so far, anywhere: the time for checks across fields."""
        return not self._problems

    def done(self) -> None:
        """Raise `ContentError` with everything that was found."""
        if self._problems:
            raise ContentError(self._problems)

    def complain(self, problem: Phrase) -> None:
        """Add a problem found by the caller."""
        self._problems.append(problem)

    def field(self, name: str) -> Reader:
        """The named field, which must be there."""
        found = self.optional(name)
        if found is None:
            place = self._at(name)
            self.complain(phrase("%(where)s is missing.", where=place))
            return Reader(None, place, [])
        return found

    def optional(self, name: str) -> Reader | None:
        """The named field, or None where it is absent or null."""
        value = self.mapping().get(name)
        return None if value is None else Reader(value, self._at(name), self._problems)

    def only(self, *names: str) -> None:
        """Complain of fields that are none of `names` (a misspelt field would be lost)."""
        for name in self.mapping().keys() - set(names):
            self.complain(phrase("%(where)s is not known here.", where=self._at(str(name))))

    def mapping(self) -> Mapping[str, Any]:
        """The value as an object of named fields."""
        if isinstance(self.value, Mapping):
            return self.value
        self.complain(phrase("%(where)s must be a group of fields.", where=self._name()))
        return {}

    def entries(self) -> list[tuple[str, Reader]]:
        """The fields of an object with free names."""
        return [
            (str(name), Reader(value, self._at(str(name)), self._problems))
            for name, value in self.mapping().items()
        ]

    def items(self) -> list[Reader]:
        """The members of a list that is not empty."""
        if isinstance(self.value, list) and self.value:
            return [
                Reader(value, f"{self.where}[{index}]", self._problems)
                for index, value in enumerate(self.value, start=1)
            ]
        self.complain(phrase("%(where)s must be a list with entries.", where=self._name()))
        return []

    def text(self) -> str:
        """Text that is not empty, without spaces around it."""
        if isinstance(self.value, str) and 0 < len(self.value.strip()) <= MAX_TEXT:
            return self.value.strip()
        self.complain(
            phrase(
                "%(where)s must be text of 1 to %(most)s characters.",
                where=self._name(),
                most=MAX_TEXT,
            )
        )
        return "?"

    def number(self, low: int | str, high: int | str, places: int = 4) -> Decimal:
        """A number from `low` to `high` with at most `places` decimals: "0.95", or a whole one.

        A JSON number with a fraction is refused: it went through binary floating point.
        """
        least, most = Decimal(low), Decimal(high)
        found = self._decimal()
        if found is not None and least <= found <= most:
            exponent = found.normalize().as_tuple().exponent
            if isinstance(exponent, int) and -exponent <= places:
                return found
        self.complain(
            phrase(
                "%(where)s must be a number from %(low)s to %(high)s with at most %(places)s "
                "decimals.",
                where=self._name(),
                low=least,
                high=most,
                places=places,
            )
        )
        return least

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        return int(self.number(low, high, places=0))

    def flag(self) -> bool:
        """Yes or no."""
        if isinstance(self.value, bool):
            return self.value
        self.complain(phrase("%(where)s must be true or false.", where=self._name()))
        return False

    def choice(self, kinds: type[Choice]) -> Choice:
        """One of an enumeration's values."""
        for kind in kinds:
            if self.value == kind.value:
                return kind
        allowed = ", ".join(kind.value for kind in kinds)
        self.complain(
            phrase("%(where)s must be one of: %(allowed)s.", where=self._name(), allowed=allowed)
        )
        return next(iter(kinds))

    def _decimal(self) -> Decimal | None:
        if isinstance(self.value, bool) or not isinstance(self.value, int | str):
            return None
        try:
            found = Decimal(self.value)
        except InvalidOperation:
            return None
        return found if found.is_finite() else None

    def _at(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def _name(self) -> str:
        return self.where or "content"
