"""Names from strangers become safe, and tell what a file belongs to."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.files.kinds import FileKind
from portal.files.names import (
    MAX_BYTES,
    Call,
    MaterialKind,
    Pattern,
    candidates,
    compile_patterns,
    display_name,
    download_name,
    masked_name,
)
from portal.kernel.errors import Invalid

AT = datetime(2026, 11, 3, 6, 22, 33, tzinfo=UTC)
FORBIDDEN = set('/\\:*?"<>|\x00')


@given(st.text(max_size=400))
@example("../../etc/passwd")
@example("..\\..\\windows\\system32\\con.wav")
@example("录音\x00.wav")
@example("invoice\u202egnp.exe")
@example("名" * 300 + ".wav")
@example("📞" * 200)
@example(".")
@example("... .. ")
@example("\ud800.mp3")
@example("CON")
def test_a_safe_name_never_escapes(original: str) -> None:
    for name in (display_name(original), masked_name(original)):
        assert name
        assert not set(name) & FORBIDDEN
        assert len(name.encode()) <= MAX_BYTES
        assert name not in {".", ".."}
        assert name == name.strip(" .")
        assert not {unicodedata.category(char) for char in name} & {"Cc", "Cf", "Cs"}
        assert name.split(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1"}
    assert display_name(display_name(original)) == display_name(original)
    served = download_name(original, FileKind.MP3)
    assert served.endswith(".mp3")
    assert len(served.encode()) <= MAX_BYTES
    assert not set(served) & FORBIDDEN


def test_names_keep_what_people_know_them_by() -> None:
    assert display_name("C:\\录音\\HC-1 第二次 📞.wav") == "HC-1 第二次 📞.wav"
    assert display_name("a" * 500 + ".wav").endswith("a.wav")
    assert display_name("con.wav") == "_con.wav"
    assert download_name("a.exe", FileKind.WAV) == "a.exe.wav"
    assert download_name("a.mp3", FileKind.WAV) == "a.wav"


def test_numbers_of_persons_are_masked() -> None:
    name = "13800001234_8012_20261103142233.wav"
    assert masked_name(name) == "138xxxx1234_8012_20261103142233.wav"
    assert masked_name("6225880123456789.pdf") == "622588xxxxxx6789.pdf"
    assert masked_name("02155551234.wav") == "021xxxx1234.wav"
    assert masked_name("021-55551234 138-0000-1234.wav") == "021-xxxx1234 138-xxxx-1234.wav"
    assert masked_name("HC-2026-000123.wav") == "HC-2026-000123.wav"


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("13800001234_8012_20261103142233.wav", Call("13800001234", "8012", AT)),
        ("rec-8012-013800001234-20261103_142233-out.mp3", Call("13800001234", "8012", AT)),
        ("20261103142233_8012_13800001234.wav", Call("13800001234", "8012", AT)),
        ("20261103-142233-8613800001234.wav", Call("13800001234", "", AT)),
        ("2026/11/13800001234.wav", Call("13800001234")),
        ("021-55551234_8012_20261103142233.wav", Call("02155551234", "8012", AT)),
        ("13800001234_8012_20269903142233.wav", Call("13800001234", "8012", None)),
    ],
)
def test_diallers_names_are_read(name: str, call: Call) -> None:
    assert candidates(name).calls[0] == call


@pytest.mark.parametrize(
    "name",
    [
        "HC-1_20261103142233.wav",
        "HC-1 2026-11-03 14-22-33.wav",
        "HC-1_2026.11.03_14.22.33.mp3",
        "2026年11月03日14时22分33秒 HC-1.m4a",
        "2026-11-03T14：22：33.wav",
    ],
)
def test_the_time_of_a_call_is_read_however_it_is_punctuated(name: str) -> None:
    assert candidates(name).times == (AT,)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("HC-1.wav", MaterialKind.CALL_RECORDING),
        ("HC-1_外访.M4A", MaterialKind.VISIT_RECORDING),
        ("外訪/HC-1.mp3", MaterialKind.VISIT_RECORDING),
        ("Field Visit/HC-1.mp3", MaterialKind.VISIT_RECORDING),
        ("HC-1催收记录.pdf", MaterialKind.COLLECTION_RECORD),
        ("HC-1 COLLECTION RECORD.PDF", MaterialKind.COLLECTION_RECORD),
        ("HC-1.xlsx", MaterialKind.COLLECTION_RECORD),
        ("HC-1.jpg", None),
        ("HC-1.pdf", None),
        ("", None),
    ],
)
def test_the_kind_is_guessed_from_ending_and_words(path: str, kind: MaterialKind | None) -> None:
    assert candidates(path).kind is kind


@given(st.text(max_size=2000))
def test_any_name_can_be_read(path: str) -> None:
    found = candidates(path)
    assert len(found.case_parts) <= 4


@pytest.mark.parametrize(
    "regex",
    [
        r"(?P<phone>(\d+)+)x",
        r"(?P<phone>(a|aa)*)",
        r"(?P<phone>\d*)\d*\d*\d*x",
        r"(?P<phone>\d)\1",
        r"(?P<phone>\d{11}",
        r"(?P<mobile>\d{11})",
        r"(?P<extension>\d{4})",
        r"(?P<phone>\d{11})" + "a" * 300,
    ],
)
def test_patterns_that_could_run_away_or_say_nothing_are_refused(regex: str) -> None:
    with pytest.raises(Invalid):
        compile_patterns([Pattern("mine", regex)])


def test_own_patterns() -> None:
    mine = compile_patterns([Pattern("mine", r"AJ(?P<case_no>\d{6})Q(?P<phone>1\d{10})")])
    found = candidates("AJ000123Q13800001234.wav", mine)
    assert found.case_numbers == ("000123",)
    assert found.calls == (Call("13800001234"),)
