"""Money: `Decimal` with two places, never float; and the amount in words of capital (大写)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

Money = Decimal

ZERO = Decimal("0.00")
_CENT = Decimal("0.01")
_LIMIT = 10**16  # capital() names figures up to 仟万亿

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


def cents(x: Decimal | int | str) -> Money:
    """`x` in the currency's unit, rounded half-up to two places; never minus zero.

    A float is refused (`TypeError`): it has lost the exact amount before it gets here. What is
    no finite number is a `ValueError`.
    """
    if isinstance(x, float):
        raise TypeError("money is never a float")
    try:
        amount = Decimal(x).quantize(_CENT, ROUND_HALF_UP)
    except InvalidOperation as error:
        raise ValueError(f"not an amount of money: {x!r}") from error
    return amount if amount else ZERO


def capital(amount: Decimal | int | str) -> str:
    """The amount in capital figures, as a statement prints it: 人民币伍万肆仟玖佰元整.

    `amount` in CNY, exact to the cent (more places are a `ValueError`, as is 10^16 or more). Of
    the forms that the payment rules (支付结算办法, 附一) allow, this is the strictest: 零 wherever
    zeros stand between two figures of the whole amount and before a lone 分; 整 after 元 and 角,
    not after 分. A negative amount begins with 负.
    """
    value = cents(amount)
    if value != Decimal(amount):
        raise ValueError("the amount in words must be exact to the cent")
    yuan, fen = divmod(int(abs(value).scaleb(2)), 100)
    if yuan >= _LIMIT:
        raise ValueError("the amount is too large to be put into words")
    sign = "负" if value < 0 else ""
    return f"人民币{sign}{_words(yuan, fen)}"


def _words(yuan: int, fen: int) -> str:
    jiao, lone = divmod(fen, 10)
    whole = f"{_whole(yuan)}元" if yuan or not fen else ""
    if not fen:
        return f"{whole}整"
    if not lone:
        return f"{whole}{_DIGITS[jiao]}角整"
    gap = "零" if whole and not jiao else ""
    tenth = f"{_DIGITS[jiao]}角" if jiao else ""
    return f"{whole}{gap}{tenth}{_DIGITS[lone]}分"


def _whole(yuan: int) -> str:
    if not yuan:
        return _DIGITS[0]
    figures = str(yuan)
    text, pending = "", False
    for index, figure in enumerate(figures):
        group, place = divmod(len(figures) - 1 - index, 4)
        if figure == "0":
            pending = True
        else:
            text += ("零" if pending else "") + _DIGITS[int(figure)] + _PLACES[place]
            pending = False
        if place == 0:
            text += _group_name(figures, index, group)
    return text


def _group_name(figures: str, index: int, group: int) -> str:
    """The name that closes a group of four, where the group is not empty.

    The fourth group counts 万 of 亿: its own name is 万, and 亿 closes the third group even where
    that is empty (壹万亿).
    """
    filled = bool(figures[max(0, index - 3) : index + 1].strip("0"))
    if group == 3:
        return "万"
    if group == 2 and len(figures) > 12:
        return "亿"
    return _GROUPS[group] if filled else ""
