"""``cti people add``: each role, and the one that is none; the PIN comes from standard input."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cti.cli import app
from cti.errors import BadInput
from cti.store.db import Store
from cti.store.people import Role, everybody


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A site with an empty database."""
    path = tmp_path / "config.toml"
    path.write_text(f'database = "{tmp_path / "cti.db"}"\n[ami]\nsecret = "not-used"\n')
    return path


def add(config: Path, number: str, role: str) -> BaseException | None:
    """Run the command; what it ended with."""
    arguments = ["people", "add", number, "测试人员", "--role", role, "--config", str(config)]
    return CliRunner().invoke(app, arguments, input="240101\n").exception


def test_a_person_of_each_role_is_added_and_kept(config: Path, tmp_path: Path) -> None:
    """agent, lead, admin, auditor; anything else names ``role`` and adds nobody."""
    numbers = {role: str(1001 + n) for n, role in enumerate(Role)}
    assert [add(config, number, role) for role, number in numbers.items()] == [None] * len(Role)
    fault = add(config, "2001", "emperor")
    assert isinstance(fault, BadInput)
    assert fault.field == "role"
    assert asyncio.run(kept(tmp_path / "cti.db")) == {number: role for role, number in numbers.items()}


async def kept(database: Path) -> dict[str, Role]:
    """Number -> role of everybody in the database."""
    store = await Store.open(database)
    try:
        async with store.read() as connection:
            return {person.number: person.role for person in await everybody(connection)}
    finally:
        await store.close()
