"""Two services on one database would dial twice; a wrong profile is said in one line."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cti.app import REGULATIONS, AlreadyRunning, load_profile, make_service, only_instance
from cti.clock import VirtualClock
from cti.errors import BadInput
from cti.settings import make_settings
from cti.store.people import add_person
from tests.stores import open_store

HOLD = "import sys; from pathlib import Path; from cti.app import only_instance\n" \
       "with only_instance(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"  # fmt: skip


def test_a_second_instance_is_refused(tmp_path: Path) -> None:
    """As long as the first one lives; it may come back afterwards."""
    database = tmp_path / "data" / "cti.db"
    with only_instance(database), pytest.raises(AlreadyRunning, match="another cti"), only_instance(database):
        pass
    with only_instance(database):
        pass


def test_a_killed_instance_leaves_no_lock(tmp_path: Path) -> None:
    """kill -9 frees the database at once: the lock is the process's, not the file's being there."""
    database = tmp_path / "cti.db"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning), only_instance(database):
            pass
    finally:
        other.kill()
        other.communicate()
    with only_instance(database):
        pass


def test_a_profile_by_name_or_by_path(tmp_path: Path) -> None:
    """The shipped rules by their name, a site's own by its path; they are the same rules."""
    own = tmp_path / "own.toml"
    own.write_text((REGULATIONS / "hz-12319.toml").read_text())
    assert load_profile(str(own)) == load_profile("hz-12319")


@pytest.mark.parametrize("name", ["nowhere", "../cti/app", "/nonexistent/x.toml"])
def test_a_profile_that_is_not_there_is_named(name: str) -> None:
    """The message has the path that was tried."""
    with pytest.raises(BadInput) as error:
        load_profile(name)
    assert error.value.field == "hotline.profile"
    assert "toml" in error.value.message


def test_a_profile_that_does_not_load_names_the_rule(tmp_path: Path) -> None:
    """The dotted path of the wrong figure, not a stack of calls."""
    text = (REGULATIONS / "hz-12319.toml").read_text()
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text.replace("article", "artikel", 1))
    with pytest.raises(BadInput) as error:
        load_profile(str(wrong))
    assert str(wrong) == error.value.field
    assert error.value.message


def test_a_house_file_goes_over_the_profile(tmp_path: Path) -> None:
    """``hotline.house``: the site's own figure is in force, and the rest of the profile stays."""
    house = tmp_path / "house.toml"
    house.write_text('[busy.first]\noff = true\nwording = "试运行期间不执行"\n')
    mine = load_profile("hz-12319", house)
    assert mine.off == {"busy.first": "试运行期间不执行"}
    assert mine.get("busy.last") == load_profile("hz-12319").get("busy.last")


@pytest.mark.parametrize(
    ("content", "field", "said"),
    [
        (None, "hotline.house", "No such file"),
        (b"[busy.first]\nvalue = 60\n", "house.toml", "busy.first.basis"),
        (b"\xff\xfe", "house.toml", "(file)"),
    ],
)
def test_a_house_file_that_does_not_load_is_named(tmp_path: Path, content: bytes | None, field: str, said: str) -> None:
    """The file and the dotted path, in one line."""
    house = tmp_path / "house.toml"
    if content is not None:
        house.write_bytes(content)
    with pytest.raises(BadInput) as error:
        load_profile("hz-12319", house)
    assert error.value.field.endswith(field)
    assert said in error.value.message


@pytest.mark.parametrize(("role", "sits"), [("agent", True), ("lead", True), ("admin", False), ("auditor", False)])
async def test_only_agents_and_leads_sign_in_from_a_phone(tmp_path: Path, role: str, sits: bool) -> None:
    """The right PIN of somebody who may not sit at a seat opens none; nor does a wrong one."""
    store = await open_store(tmp_path / "cti.db")
    settings = make_settings({"ami": {"secret": "not-used"}})
    clock = VirtualClock(datetime(2026, 11, 21, 2, 0, tzinfo=UTC))
    service = make_service(settings, load_profile("hz-12319"), store, clock, random.Random(1))
    await add_person(store, service.pins, "1001", "测试话务员甲", role, "240101")
    assert await service._phone_pin("1001", "240101", "8001") is sits
    assert not await service._phone_pin("1001", "240102", "8001")
    await store.close()
