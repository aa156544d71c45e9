"""No code without a sentence, no sentence that nothing says."""

from __future__ import annotations

import re
from pathlib import Path

from portal.files import problems

FOLDER = Path(problems.__file__).parent
# The addresses of parts are refused with texts of their own, before anybody's language is known.
OTHERS = ("problems.py", "parts.py", "receiver.py")
RAISED = re.compile(r"""(?:Refused|Bad|Problem)\(\s*"(\w+)"|\bcode = "(\w+)" if""")


def test_every_code_has_a_sentence_and_every_sentence_a_use() -> None:
    known = set(problems.messages())
    own = [path for path in FOLDER.glob("*.py") if path.name not in OTHERS]
    text = {path: path.read_text() for path in [*FOLDER.parent.rglob("*.py"), *own]}
    raised = {a or b for path in own for a, b in RAISED.findall(text[path])}
    used = "\n".join(text[path] for path in text if path.name not in OTHERS)
    assert raised <= known
    assert {code for code in known if f'"{code}"' not in used} == set()


def test_parameters_are_named() -> None:
    for phrase in problems.messages().values():
        bare = re.sub(r"%\(\w+\)s", "", phrase.msgid)
        assert "%" not in bare
