"""What classes and standings are called."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from portal.kernel.phrases import Phrase, phrase
from portal.retention.kinds import DataClass, HoldOn, Standing

CLASSES: Mapping[str, Phrase] = MappingProxyType(
    {
        DataClass.CALL_RECORDING.value: phrase("Call recordings"),
        DataClass.VISIT_RECORDING.value: phrase("Field-visit recordings"),
        DataClass.RECORD.value: phrase("Records and other materials"),
        DataClass.CASE_DATA.value: phrase("Personal data of cases"),
        DataClass.IMPORT_FILE.value: phrase("Imported lists"),
        DataClass.EVIDENCE.value: phrase("Proofs of corrections"),
    }
)
SUBJECTS: Mapping[str, Phrase] = MappingProxyType(
    {
        HoldOn.CASE.value: phrase("Case"),
        HoldOn.REQUEST.value: phrase("Material request"),
        HoldOn.NOTICE.value: phrase("Rectification notice"),
    }
)
STANDINGS: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        Standing.DUE.value: (phrase("Beyond its time"), "danger"),
        Standing.SOON.value: (phrase("Soon beyond its time"), "warning"),
        Standing.WANTED.value: (phrase("Kept: requested or disputed"), "pending"),
        Standing.HELD.value: (phrase("Kept: legal hold"), "review"),
    }
)
