"""What the demo starts is stopped with it, however it ends."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import signal, sys
def end(*_):
    print("stopped in order", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
signal.pause()
"""
PARENT = """
import sys
from pathlib import Path
from devserver.children import Children, ChildEnded, end_in_order
end_in_order()
try:
    with Children() as children:
        for argv in (["-c", sys.argv[2]], ["-c", sys.argv[2]]):
            name = f"child{len(children._all)}"
            made = children.start(name, [sys.executable, *argv], {}, Path(sys.argv[1]) / name)
            while "ready" not in made.log.read_text() and not made.wait(0.02):
                pass
        print(*(child.process.pid for child in children._all), flush=True)
        children.watch()
except KeyboardInterrupt:
    print("interrupted", flush=True)
except ChildEnded as error:
    print(error, flush=True)
"""


def start(folder: Path) -> tuple["subprocess.Popen[str]", list[int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), CHILD], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, [int(pid) for pid in process.stdout.readline().split()]


def wait_for_end(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with os.fdopen(descriptor) as ended:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        assert poll.poll(10_000), f"process {pid} goes on"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_stop_all_in_order(tmp_path: Path, number: signal.Signals) -> None:
    process, pids = start(tmp_path)
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert "interrupted" in output
    for pid, name in zip(pids, ("child0", "child1"), strict=True):
        wait_for_end(pid)
        assert "stopped in order" in (tmp_path / name).read_text()


def test_one_that_ends_is_told_of_and_ends_the_other(tmp_path: Path) -> None:
    process, pids = start(tmp_path)
    os.kill(pids[0], signal.SIGKILL)
    output, _ = process.communicate(timeout=30)
    assert "child0 ended" in output and str(tmp_path / "child0") in output
    wait_for_end(pids[1])


def test_children_do_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    process, pids = start(tmp_path)
    process.kill()
    process.communicate(timeout=30)
    for pid in pids:
        wait_for_end(pid)
