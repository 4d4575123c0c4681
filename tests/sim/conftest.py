"""A batch of the simulation waits for nobody: virtual time stands still while it is committed."""

from __future__ import annotations

import pytest

from cti.engine import engine


@pytest.fixture(autouse=True)
def no_gathering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "GATHER_S", 0.0)
    monkeypatch.setattr(engine, "RETRY_S", 0.0)
