"""Real calls told to a Zammad over real HTTP: in order, also when Zammad and the service went away in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import Hotline
from tests.integration.sinks import PATH, Zammad

pytestmark = pytest.mark.asterisk

ONE, TWO = "13800000091", "13800000092"
WHOLE = ["newCall", "answer", "hangup"]


@pytest.fixture
def zammad() -> Iterator[Zammad]:
    made = Zammad()
    yield made
    made.down()


@pytest.fixture
def hotline(lab: LabAsterisk, tmp_path: Path, zammad: Zammad) -> Iterator[Hotline]:
    """A hotline that tells Zammad."""
    working = Hotline(lab, tmp_path / "service", zammad={"url": f"{zammad.url}{PATH}", "line": "12319"})
    try:
        yield working
    finally:
        working.service.stop()


def test_a_real_call_at_zammad_and_zammad_away_in_the_middle(
    hotline: Hotline, zammad: Zammad, citizens: Citizens
) -> None:
    """newCall, answer, hangup as queue_log has the call; the second call's answer and end come when Zammad is back.

    A third caller gives up: newCall and hangup alone. The service is killed while Zammad is away, and loses nothing.
    """
    hotline.sign_in(a1001="3001")
    first = citizens.call("12319", 2, ONE)
    hotline.until(lambda: zammad.events(first) == WHOLE, 20)
    second = citizens.call("12319", 6, TWO)
    hotline.until(lambda: zammad.events(second)[:1] == ["newCall"])
    zammad.down()
    ended = "select count(*) from calls where ended_at is not null and ending <> 'left'"
    hotline.until(lambda: hotline.rows(ended) == [(2,)], 25)
    hotline.until(lambda: hotline.rows("select count(*) from deliveries") != [(0,)])
    hotline.service.kill()
    zammad.up()
    hotline.service.start()
    hotline.until(lambda: zammad.events(second) == WHOLE, 25)
    hotline.until(lambda: hotline.rows("select count(*) from deliveries") == [(0,)])
    for call_id, number in ((first, ONE), (second, TWO)):
        verbs = [row.verb for row in oracle.read_queue_log(hotline.lab.queue_log) if row.call_id == call_id]
        assert verbs[0] == "ENTERQUEUE"
        assert "CONNECT" in verbs
        new, answer, hangup = zammad.calls[call_id]
        assert (new["from"], new["to"], new["direction"], new["queue"]) == (number, "12319", "in", "hotline")
        assert (answer["answeringNumber"], answer["user"]) == ("1001", "测试话务员1001")
        assert hangup["cause"] == "normalClearing"
    assert zammad.faults == []
    log = (hotline.service.work / "log").read_text()
    assert PATH not in log
    assert ONE not in log


def test_a_caller_who_gives_up_has_no_answer_at_zammad(hotline: Hotline, zammad: Zammad, citizens: Citizens) -> None:
    """Nobody is signed in: newCall and hangup with queue_log's reason (ABANDON: ``cancel``)."""
    given_up = citizens.call("12319", 2, ONE)
    hotline.until(lambda: len(zammad.events(given_up)) == 2, 25)
    rows = [row.verb for row in oracle.read_queue_log(hotline.lab.queue_log) if row.call_id == given_up]
    assert rows[-1] == "ABANDON"
    assert [(e["event"], e.get("cause")) for e in zammad.calls[given_up]] == [("newCall", None), ("hangup", "cancel")]
    assert zammad.faults == []


def test_a_transferred_call_and_a_callback_at_zammad(hotline: Hotline, zammad: Zammad, citizens: Citizens) -> None:
    """A transfer is no end: one hangup, ``forwarded``, when the caller is gone. A callback is a call ``out``."""
    hotline.sign_in(a1001="3001")
    moved = citizens.call("12319", 30, ONE)
    hotline.until(lambda: zammad.events(moved) == ["newCall", "answer"])
    citizens.blind_transfer(moved, "3009")
    hotline.until(lambda: hotline.agent("1001")["state"] in ("wrap_up", "ready"))
    assert zammad.events(moved) == ["newCall", "answer"]
    citizens.hang_up(moved)
    hotline.until(lambda: zammad.events(moved) == WHOLE, 20)
    assert zammad.calls[moved][-1]["cause"] == "forwarded"
    body = {"number": "13800000051", "agent": "1001"}  # the lab's citizen who picks up
    hotline.until(lambda: hotline.agent("1001")["state"] == "ready", 15)
    asked = hotline.page("2001").ask("POST", "callbacks", body, Idempotency_Key="key-1")
    back = f"{asked.body['callback_id']}-1"
    hotline.until(lambda: zammad.events(back) == WHOLE, 40)
    new, answer, hangup = zammad.calls[back]
    assert (new["from"], new["to"], new["direction"], new["user"]) == ("12319", "13800000051", "out", "测试话务员1001")
    assert (answer["answeringNumber"], hangup["cause"]) == ("1001", "normalClearing")
    assert zammad.faults == []
