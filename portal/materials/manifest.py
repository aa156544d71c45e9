"""A list in the dropped set that says what each file is (文件清单): file → case, kind, call."""

from __future__ import annotations

import importlib
import re
import tempfile
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from portal.contacts.sheet import Moment
from portal.files import sandbox
from portal.files.cells import Choice, Option, Text
from portal.files.columns import Column, Table, Template
from portal.files.matching import Hint
from portal.files.names import MaterialKind

MAX_BYTES = 10 * 1024 * 1024
_LIMITS = sandbox.Limits(memory=1 << 30, cpu=30, wall=45.0)
_SEPARATORS = re.compile(r"[/\\]")

KINDS = Choice(
    (
        Option(
            MaterialKind.COLLECTION_RECORD.value,
            "催收记录",
            "Collection record",
            "催收記錄",
            ("催记", "记录", "record"),
        ),
        Option(
            MaterialKind.CALL_RECORDING.value,
            "催收录音",
            "Call recording",
            "催收錄音",
            ("电催录音", "通话录音", "录音", "recording", "call"),
        ),
        Option(
            MaterialKind.VISIT_RECORDING.value,
            "外访录音",
            "Field-visit recording",
            "外訪錄音",
            ("外访", "上门录音", "visit"),
        ),
        Option(
            MaterialKind.OTHER.value, "其他材料", "Other material", "其他材料", ("其他", "other")
        ),
    )
)
TEMPLATE = Template(
    name="files",
    title_zh="文件清单",
    title_en="Files",
    max_rows=20_000,
    others_ignored=True,
    columns=(
        Column(
            "file",
            "文件名",
            "File",
            Text(400),
            required=True,
            title_hant="檔名",
            aliases=(
                "文件",
                "文件名称",
                "录音文件",
                "录音文件名",
                "录音名称",
                "filename",
                "file name",
            ),
        ),
        Column(
            "case_no",
            "个案编号",
            "Case number",
            Text(60),
            title_hant="案件編號",
            aliases=("案件编号", "个案序列号", "案件号", "案号"),
        ),
        Column(
            "kind",
            "材料类型",
            "Kind",
            KINDS,
            title_hant="材料類型",
            aliases=("类型", "材料", "种类", "material"),
        ),
        Column(
            "call_id",
            "通话编号",
            "Call ID",
            Text(120),
            title_hant="通話編號",
            aliases=("通话ID", "呼叫ID", "录音编号", "录音ID", "callid", "uuid"),
        ),
        Column(
            "started_at",
            "开始时间",
            "Started at",
            Moment(),
            title_hant="開始時間",
            aliases=("通话时间", "呼叫时间", "拨打时间", "通话开始时间", "start time"),
        ),
    ),
)


def read(stream: IO[bytes], name: str) -> list[dict[str, Any]]:
    """The entries of a list: `file` (with folders, where the list has them) and `hint`; none when
    it is no such list. Of a name that the list says different things of there are several entries:
    the desk knows the folders that the files came in, and takes the one that fits.

    It is read in the sandbox, as every file of strangers is; the web process loads no reader.
    """
    with tempfile.NamedTemporaryFile(prefix="portal-", suffix=Path(name).suffix[:8]) as copy:
        left = MAX_BYTES
        while left and (part := stream.read(min(left, 1 << 20))):
            copy.write(part)
            left -= len(part)
        if not left:
            return []
        copy.flush()
        outcome = sandbox.run(_there, Path(copy.name), limits=_LIMITS)
    table = outcome.value
    if table is None or "file" not in table.titles:
        return []
    entries: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in table.rows:
        path = "/".join(part for part in _SEPARATORS.split(row.values.get("file") or "") if part)
        hint = _hint(row.values)
        if path and hint:
            entries.setdefault((path.lower(), *hint.values()), {"file": path, "hint": hint})
    return list(entries.values())


def _there(path: Path) -> Table:
    """Runs in the sandbox, where the readers are loaded already."""
    found: Table = importlib.import_module("portal.files.workbook").read_list_here(
        path, TEMPLATE, "zh_Hans_CN"
    )
    return found


def _hint(values: dict[str, Any]) -> dict[str, str]:
    """A hint as the desk keeps it and sends it back."""
    at = values.get("started_at")
    hint = {
        "case_no": values.get("case_no"),
        "kind": values.get("kind"),
        "call_id": values.get("call_id"),
        "at": at.isoformat() if at is not None else None,
    }
    return {key: value for key, value in hint.items() if value}


def hint_of(given: Any) -> Hint | None:
    """A hint that the desk sent back; None when there is none or it says nothing."""
    if not isinstance(given, dict):
        return None
    kind, at = str(given.get("kind", "")), None
    try:
        at = datetime.fromisoformat(str(given["at"])) if given.get("at") else None
    except ValueError:
        at = None
    if at is not None and at.tzinfo is None:
        at = None
    hint = Hint(
        str(given.get("case_no", ""))[:60],
        MaterialKind(kind) if kind in set(MaterialKind) else None,
        str(given.get("call_id", ""))[:120],
        at,
    )
    return hint if hint != Hint() else None
