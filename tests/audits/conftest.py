"""The sandbox's server ends with the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.files import sandbox


@pytest.fixture(scope="session", autouse=True)
def _sandbox() -> Iterator[None]:
    yield
    sandbox.stop()
