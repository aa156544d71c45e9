"""No code without a sentence, no sentence that nothing says."""

from __future__ import annotations

import re
from pathlib import Path

from portal.files import problems

SOURCES = sorted(Path(problems.__file__).parent.glob("*.py"))
RAISED = re.compile(r"""(?:Refused|Bad|Problem)\(\s*"(\w+)"|\bcode = "(\w+)" if""")


def test_every_code_has_a_sentence_and_every_sentence_a_use() -> None:
    known = set(problems.messages())
    text = "\n".join(path.read_text() for path in SOURCES if path.name != "problems.py")
    raised = {a or b for a, b in RAISED.findall(text)}
    assert raised <= known
    assert {code for code in known if f'"{code}"' not in text} == set()


def test_parameters_are_named() -> None:
    for phrase in problems.messages().values():
        bare = re.sub(r"%\(\w+\)s", "", phrase.msgid)
        assert "%" not in bare
