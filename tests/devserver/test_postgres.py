"""The private PostgreSQL outlives what happens to the processes that use it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devserver import postmaster
from devserver.carrier import ServerError
from devserver.postgres import Cluster

HOLDER = """
import sys
from pathlib import Path
from devserver.postgres import Cluster
with Cluster(Path(sys.argv[1]), durable=False).running() as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that root's server user can reach; pytest's own ones are closed to it."""
    made = Path(tempfile.mkdtemp(prefix="portal-test-"))
    made.chmod(0o711)
    yield made
    Cluster(made / "cluster").remove()
    shutil.rmtree(made)


@pytest.fixture
def cluster(folder: Path) -> Iterator[Cluster]:
    made = Cluster(folder / "cluster", durable=False)
    yield made
    made.stop()
    assert not made.is_running()


def hold(folder: Path) -> tuple["subprocess.Popen[str]", str]:
    """Let another process use the server; it leaves when its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def leave(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=60)
    assert process.returncode == 0


def pid_of(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select pg_read_file('postmaster.pid')").fetchone()
    assert row is not None
    return int(row[0].split()[0])


def socket_folder(url: str) -> Path:
    with psycopg.connect(url) as connection:
        row = connection.execute("show unix_socket_directories").fetchone()
    assert row is not None
    return Path(row[0].strip('"'))


def test_it_is_closed_to_the_network_and_to_who_has_no_password(cluster: Cluster) -> None:
    with cluster.running() as url:
        with psycopg.connect(url) as connection:
            settings: dict[str, str] = dict(
                connection.execute(
                    "select name, setting from pg_settings where name in "
                    "('listen_addresses', 'password_encryption', 'fsync', 'full_page_writes')"
                ).fetchall()
            )
            provider = connection.execute(
                "select datlocprovider, datlocale from pg_database where datname = 'postgres'"
            ).fetchone()
        assert settings == {
            "listen_addresses": "",
            "password_encryption": "scram-sha-256",
            "fsync": "off",
            "full_page_writes": "off",
        }
        assert provider == ("b", "C.UTF-8")
        password = url.split(":")[2].split("@")[0]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace(password, "guess"))
    assert (cluster.folder / "superuser.password").stat().st_mode & 0o777 == 0o600


def test_the_last_one_out_stops_it(cluster: Cluster) -> None:
    first, first_url = hold(cluster.folder)
    second, second_url = hold(cluster.folder)
    assert first_url == second_url
    leave(first)
    assert cluster.is_running()
    assert not cluster.stop(), "somebody still uses it"
    with psycopg.connect(second_url) as connection:
        connection.execute("select 1")
    leave(second)
    assert not cluster.is_running()


def test_a_killed_user_holds_nothing(cluster: Cluster) -> None:
    process, _url = hold(cluster.folder)
    process.kill()
    process.communicate()
    assert cluster.is_running(), "nobody was there to stop it"
    with cluster.running():
        pass
    assert not cluster.is_running()


def test_kept_running_until_it_is_stopped(cluster: Cluster) -> None:
    cluster.start()
    with cluster.running():
        pass
    assert cluster.is_running()
    assert cluster.stop()


def test_it_heals_after_its_server_was_killed(cluster: Cluster) -> None:
    with cluster.running() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("set synchronous_commit = on")
            connection.execute("create table kept (n int)")
            connection.execute("insert into kept values (1)")
        pid = pid_of(url)
        os.kill(pid, signal.SIGKILL)
        assert postmaster._wait_for_end(pid, 10_000)
        with cluster.running() as healed, psycopg.connect(healed) as connection:
            assert connection.execute("select n from kept").fetchone() == (1,)


def test_a_process_id_that_passed_to_another_program_is_no_server(cluster: Cluster) -> None:
    with cluster.running() as url:
        pass
    # What a crash leaves behind, when the id has meanwhile become ours.
    data = cluster._data
    owner = data.stat()
    lock = data / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{data}\n0\n5432\n{data.parent / 'run'}\n\n0 0\nready   \n")
    os.chown(lock, owner.st_uid, owner.st_gid)
    assert not cluster.is_running()
    with cluster.running() as url, psycopg.connect(url) as connection:
        connection.execute("select 1")


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    long = Cluster(folder / ("长" * 20) / ("x" * 60) / "a b'c", durable=False)
    with long.running() as url:
        sockets = socket_folder(url)
        assert sockets.is_dir() and len(str(sockets)) < 60
        assert long._place == long.folder
    assert not sockets.exists()
    long.remove()
    assert {path.suffix for path in long.folder.iterdir()} == {".lock"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_where_the_servers_user_cannot_go_its_files_lie_elsewhere(tmp_path: Path) -> None:
    closed = Cluster(tmp_path / "cluster", durable=False)
    tmp_path.chmod(0o700)
    with closed.running() as url:
        assert not socket_folder(url).is_relative_to(tmp_path)
        assert tmp_path.stat().st_mode & 0o777 == 0o700, "nobody's folder was opened"
    elsewhere = closed._place
    closed.remove()
    assert not elsewhere.exists()


def test_it_is_not_removed_under_anybodys_feet(cluster: Cluster) -> None:
    with cluster.running(), pytest.raises(ServerError, match="in use"):
        cluster.remove()
