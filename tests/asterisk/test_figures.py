"""Figures on the real Asterisk: equal to a count of queue_log's own lines; steps taken before the limit is over."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from cti.lab import oracle
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import LEAD, Hotline

pytestmark = pytest.mark.asterisk
CALLS = 20
ENDS = {"ABANDON": "abandoned", "EXITWITHTIMEOUT": "timed_out"}


def logged(hotline: Hotline, *verbs: str) -> list[oracle.QueueLogRow]:
    """queue_log's lines with one of *verbs*."""
    return [r for r in oracle.read_queue_log(hotline.lab.queue_log) if r.verb in verbs and r.queue == "hotline"]


def ask(hotline: Hotline, path: str) -> Any:
    """A GET as the lead."""
    answer = hotline.page(LEAD).ask("GET", path)
    assert answer.status == 200, answer
    return answer.body


def steps(hotline: Hotline) -> list[tuple[str, str, int]]:
    """Call, step, milliseconds waited."""
    return hotline.rows("select call_id, step, waited_ms from escalations order by waited_ms")


def test_twenty_calls_are_counted_as_queue_log_counts_them(hotline: Hotline, citizens: Citizens) -> None:
    """Answers, give-ups, waits and offers: memory, the API and queue_log say the same, before and after a restart."""
    hotline.sign_in(a1001="1001", a1002="1002", a1003="2001")
    short = {3, 9, 15, 19}
    for n in range(CALLS):
        citizens.call("12319", 0.7 if n in short else 9, f"138000000{n:02}")
        if n % 5 == 4:
            hotline.settled(n + 1, 90)
    entered, connects = logged(hotline, "ENTERQUEUE"), logged(hotline, "CONNECT")
    gone = Counter(ENDS[row.verb] for row in logged(hotline, *ENDS))
    assert len(entered) == CALLS == len(connects) + gone.total()
    assert gone["abandoned"] >= 1
    for _ in range(2):
        total = ask(hotline, "figures?interval=15")["total"]
        assert (total["entered"], total["decided"], total["answered"]) == (CALLS, CALLS, len(connects))
        assert total["unanswered"] == dict(gone)
        assert total["figures"]["answer_rate"] == {"value": len(connects) / CALLS, "of": CALLS, "clock": "caller"}
        assert total["figures"]["abandon_rate"]["value"] == gone["abandoned"] / CALLS
        asa = sum(int(row.data[0]) for row in connects) / len(connects) * 1000
        assert abs(total["figures"]["asa_ms"]["value"] - asa) <= 1000  # queue_log has whole seconds
        surely = sum(int(row.data[0]) <= 14 for row in connects)
        perhaps = sum(int(row.data[0]) <= 15 for row in connects)
        assert surely <= total["within"] <= perhaps
        rolling = hotline.board()["duty"]["figures"]["connection"]
        assert (rolling["connected"], rolling["decided"]) == (len(connects), CALLS)
        lines = {line["agent"]: line for line in ask(hotline, "figures/agents")}
        answers = Counter(row.agent for row in connects)
        missed = Counter(row.agent for row in logged(hotline, "RINGNOANSWER"))
        for agent in ("1001", "1002", "1003"):
            assert (lines[agent]["answered"], lines[agent]["missed"]) == (answers[agent], missed[agent])
        talked = Counter[str]()
        for row in logged(hotline, "COMPLETECALLER", "COMPLETEAGENT"):
            talked[row.agent] += int(row.data[1])
        for agent, count in answers.items():
            assert abs(lines[agent]["talk_ms"] / 1000 - talked[agent]) <= count
        hotline.service.stop()
        hotline.service.start()
        hotline.pages.clear()
        hotline.until(lambda: hotline.board()["link"] == "up", 20)


def test_the_lead_and_the_busy_are_told_before_the_limit_and_the_queue_is_fast_enough(
    hotline: Hotline, citizens: Citizens
) -> None:
    """Nobody is free: the lead at 10 s, the agent with ticket work at 12 s, each within half a second; ready: answered.

    The callers' time at the queue is Asterisk's; the alarm carries the call's id and nothing of the caller.
    """
    hotline.sign_in(a1001="3001")
    page = hotline.page("1001")
    assert page.ask("POST", "me/busy", {"reason": "ticket"}).status == 200
    hotline.until(lambda: "paused:ticket" in hotline.members())
    call_id = citizens.call("12319", 25, "13800000077")
    hotline.until(lambda: hotline.agent("1001")["asked_back"], 16)
    assert page.ask("POST", "me/ready").status == 200
    hotline.settled(1, 40)
    taken = steps(hotline)
    assert [(c, s) for c, s, _ in taken] == [(call_id, "lead"), (call_id, "pool")]
    for (_, _, waited), at in zip(taken, (10_000, 12_000), strict=True):
        assert at <= waited < at + 500
    # From his return to the answer, by Asterisk's own clock: no longer than the last step leaves of the limit.
    ready, connect = (logged(hotline, verb)[-1] for verb in ("UNPAUSE", "CONNECT"))
    assert ready.at <= connect.at <= ready.at + (15_000 - taken[1][2]) / 1000
    ((wait_ms,),) = hotline.rows("select wait_ms from calls")
    assert abs(wait_ms - int(connect.data[0]) * 1000) <= 1100
    alarms = [a for a in hotline.board()["alarms"] if a.get("code") in ("caller_waiting", "pool_asked")]
    assert {a["call_id"] for a in alarms} == {call_id}
    assert "13800000077" not in json.dumps(alarms)


@pytest.mark.parametrize(("ring", "within"), [(15, False), (9, True)])
def test_when_the_next_agent_is_rung_is_the_queues_timeout(
    hotline: Hotline, citizens: Citizens, ring: int, within: bool
) -> None:
    """An agent who lets it ring costs the caller ``timeout`` + ``retry``: at 15 s the limit is over, at 9 s it is not.

    One seat is added after the first rings, so the order is sure.
    """
    queues = hotline.lab.work / "etc/cti_queues.conf"
    queues.write_text(queues.read_text().replace("timeout = 15", f"timeout = {ring}"))
    hotline.lab.cli("queue reload parameters hotline")
    hotline.sign_in(a1001="2001")
    citizens.call("12319", 25)
    hotline.until(lambda: hotline.agent("1001")["state"] == "ringing")
    hotline.sign_in(a1002="3002")
    hotline.until(lambda: hotline.rows("select agent from tickets"), 25)
    first, second = hotline.rows("select agent, outcome, ring_ms, offered_at from offers order by ordinal")[:2]
    assert (first[:2], second[0]) == (("1001", "no_answer"), "1002")
    assert first[2] >= ring * 1000 - 100
    (unanswered,) = logged(hotline, "RINGNOANSWER")
    assert abs(first[2] - int(unanswered.data[0])) <= 1100  # queue_log has whole seconds
    between = (second[3] - first[3]) / 1000
    print(f"timeout {ring}: rang {first[2]} ms, next agent after {between:.0f} ms")
    assert first[2] <= between < first[2] + 2_100
    assert hotline.rows("select wait_ms <= 15000 from calls") == [(int(within),)]
