"""How long each class of data is kept: versioned data that the company edits (C4.1).

Where the defaults come from stands in docs/retention.md.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.kernel import clock
from portal.kernel.phrases import phrase
from portal.retention.kinds import DataClass
from portal.retention.rules import Terms, parse_terms
from portal.schemes.service import Content, SchemeKind, in_force, register

_FIVE_YEARS = 60
_OURS = "本公司默认值,请法务核对"
_HEARD = "(转引,未见原文,请法务核对)"
_LEAST = f"个人信息保护法第19条:最短必要时间{_HEARD};{_OURS}"
_CARD = f"信用卡催收过程录音监管要求不少于2年{_HEARD};本公司默认5年"
_NAMES = {
    DataClass.CALL_RECORDING: ("电催录音", "个案结清或退回", _CARD),
    DataClass.VISIT_RECORDING: ("外访录音录像", "个案结清或退回", _OURS),
    DataClass.RECORD: ("催收记录及其他材料", "个案结清或退回", _OURS),
    DataClass.CASE_DATA: (
        "个案中的个人信息",
        "个案结清或退回",
        _LEAST,
    ),
    DataClass.IMPORT_FILE: (
        "导入的名单文件",
        "导入之日",
        _LEAST,
    ),
    DataClass.EVIDENCE: ("整改证明材料", "合同终止", _OURS),
}
_TAIWAN = f"委外前须书面告知债务人催收录音保存期限(金融機構作業委託辦法){_HEARD};{_OURS}"


def default_content() -> Content:
    """The shipped default: five years of everything, from the day on which the matter ended."""
    return {
        "jurisdiction": "CN",
        "warn_days": 60,
        "rules": [
            {
                "jurisdiction": place,
                "class": kind.value,
                "name": name,
                "months": _FIVE_YEARS,
                "counted_from": start,
                "authority": source if place == "CN" else _TAIWAN,
            }
            for place in ("CN", "TW")
            for kind, (name, start, source) in _NAMES.items()
        ],
    }


RETENTION = register(
    SchemeKind(
        "retention",
        phrase("How long data are kept"),
        default_content,
        parse_terms,
        published=False,
    )
)


def terms(session: Session) -> Terms:
    """The terms in force today."""
    return parse_terms(in_force(session, RETENTION, clock.today()).content)
