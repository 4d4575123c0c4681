"""A hotline that works: Asterisk, the service as its own process, agents at their seats."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cti.lab.asterisk import LabAsterisk
from cti.lab.service import LabBrowser, LabPerson, LabService

PIN = "482915"
AGENTS = ("1001", "1002", "1003", "1004")
LEAD = "2001"
SOURCE = 'document = "HOUSE"\narticle = "本中心约定"\nwording = "本测试的约定。"\nbasis = "house"'
PROFILE = Path(__file__).parent.parent.parent / "regulations/hz-12319.toml"


def profile_at(hour: int, folder: Path) -> Path:
    """The shipped rules in a time zone where the local hour is *hour* now: the clock is real, the zone is chosen."""
    ahead = (hour - datetime.now(UTC).hour + 11) % 24 - 11  # -11 .. +12
    zone = f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
    path = folder / f"at-{hour}.toml"
    path.write_text(PROFILE.read_text().replace("Asia/Shanghai", zone))
    return path


def proclaimed(folder: Path) -> Path:
    """A site's file with a make-up day in this year and the next two: the library knows those only once proclaimed."""
    path = folder / "workdays.toml"
    this = datetime.now(UTC).year
    path.write_text(f"on = [{', '.join(f'{year}-02-14' for year in range(this, this + 3))}]")
    return path


class Hotline:
    """A service beside a lab's Asterisk, its people, and a look into its rows."""

    def __init__(self, lab: LabAsterisk, work: Path, agents: Sequence[str] = AGENTS, **more: dict[str, Any]) -> None:
        hotline = {"profile": str(profile_at(12, lab.work)), **more.pop("hotline", {})}
        self.lab = lab
        self.service = LabService.beside(lab, work, hotline=hotline, **more)
        people = [LabPerson(n, f"测试话务员{n}", "agent", PIN) for n in agents]
        self.service.prepare([*people, LabPerson(LEAD, "测试值班长", "lead", PIN)])
        self.service.start()
        self.pages: dict[str, LabBrowser] = {}

    def page(self, number: str) -> LabBrowser:
        """That person's logged-in client."""
        if number not in self.pages:
            self.pages[number] = self.service.log_in(number, PIN)
        return self.pages[number]

    def sign_in(self, **seats: str) -> None:
        """Agents ``a1001="3001"`` sign in at their seats, and Asterisk shows them."""
        for agent, seat in seats.items():
            answer = self.page(agent[1:]).ask("POST", "me/sign-in", {"seat": seat})
            assert answer.status == 200, answer
        self.until(lambda: all(f"{agent[1:]} (Local/{seat}@" in self.members() for agent, seat in seats.items()))

    def members(self) -> str:
        """Asterisk's own words on the queue."""
        return self.lab.cli("queue show hotline")

    def board(self) -> dict[str, Any]:
        """What the lead's board shows."""
        board: dict[str, Any] = self.page(LEAD).ask("GET", "board").body
        return board

    def agent(self, number: str) -> dict[str, Any]:
        """One agent on the board."""
        found: dict[str, Any] = next(a for a in self.board()["agents"] if a["number"] == number)
        return found

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Rows of the service's database."""
        with closing(sqlite3.connect(f"file:{self.service.database}?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()

    def until(self, true: Callable[[], object], seconds: float = 20.0) -> None:
        """Wait until something is so; the tier of the real Asterisk is the one that waits on the wall clock."""
        limit = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < limit, f"not so within {seconds} s"
            time.sleep(0.05)

    def until_none(self, queries: Iterable[str], seconds: float = 20.0) -> None:
        """Wait until no query finds a row; tells the rows that stayed."""
        limit = time.monotonic() + seconds
        while rows := [row for query in queries for row in self.rows(query)]:
            assert time.monotonic() < limit, f"still there after {seconds} s: {rows}"
            time.sleep(0.05)

    def settled(self, calls: int, seconds: float = 20.0) -> None:
        """Until *calls* calls have ended with their true reason and every recording has been looked at."""
        over = "select count(*) from calls where ended_at is not null and ending <> 'left'"
        waiting = "select count(*) from recordings where state = 'expected'"
        self.until(lambda: self.rows(over) == [(calls,)] and self.rows(waiting) == [(0,)], seconds)


@pytest.fixture
def hotline(lab: LabAsterisk, tmp_path: Path) -> Iterator[Hotline]:
    """A hotline at noon, nobody signed in yet."""
    working = Hotline(lab, tmp_path / "service")
    try:
        yield working
    finally:
        working.service.stop()


House = Callable[..., Hotline]


@pytest.fixture
def house(lab: LabAsterisk, tmp_path: Path) -> Iterator[House]:
    """A hotline at noon with figures of its own over Heze's; values as TOML."""
    started: list[Hotline] = []

    def start(**values: str) -> Hotline:
        path = tmp_path / "house.toml"
        rules = (f"[{name.replace('__', '.')}]\nvalue = {value}\n{SOURCE}\n" for name, value in values.items())
        path.write_text("\n".join(rules), encoding="utf-8")
        hotline = {"house": str(path), "areas": {"east": {"zh": "东区", "en": "East"}}}
        started.append(Hotline(lab, tmp_path / "service", hotline=hotline))
        return started[-1]

    yield start
    for hotline in started:
        hotline.service.stop()
