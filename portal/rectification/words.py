"""What states and sources of notices are called on pages, and the shipped texts of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from portal.kernel.phrases import Phrase, phrase
from portal.rectification.kinds import OpinionState, Recheck
from portal.rectification.kinds import RectificationState as State

STATES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        State.DRAFT.value: (phrase("Draft"), "neutral"),
        State.ISSUED.value: (phrase("To be answered"), "pending"),
        State.ANSWERED.value: (phrase("Answered, to be decided"), "review"),
        State.RETURNED.value: (phrase("Returned, to be answered again"), "warning"),
        State.ACCEPTED.value: (phrase("Accepted"), "success"),
        State.CANCELLED.value: (phrase("Cancelled"), "neutral"),
    }
)
SOURCE_NAMES: Mapping[str, Phrase] = MappingProxyType(
    {
        "assessment": phrase("Assessment"),
        "audit": phrase("Audit"),
        "complaint": phrase("Complaint"),
        "regulator": phrase("Regulator"),
        "inspection": phrase("Inspection"),
    }
)
RECHECKS: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        Recheck.EFFECTIVE.value: (phrase("Effective"), "success"),
        Recheck.REOPENED.value: (phrase("Not effective: reopened"), "danger"),
        Recheck.FOLLOWED.value: (phrase("Not effective: a new notice follows"), "danger"),
    }
)
OPINION_STATES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        OpinionState.GIVEN.value: (phrase("Waits for the vendor manager"), "pending"),
        OpinionState.TURNED.value: (phrase("Turned into a notice"), "success"),
        OpinionState.DECLINED.value: (phrase("Declined"), "neutral"),
    }
)
CONSEQUENCE = (
    "逾期未提交整改报告，或者整改经复查不合格的，按《不规范催收处罚条例》第605条记分并扣款，"
    "计入当月考核；情节严重的，按委托合同约定暂停新增委案。"
)
STOPS = "本通知所涉账户及责任人自收到通知起立即停止作业，恢复须经我公司书面同意。"
