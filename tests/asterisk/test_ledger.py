"""The ledger of matters over real calls: what the file says is what queue_log and the CDR say, call for call."""

from __future__ import annotations

import csv
import io
import urllib.request
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cti.lab import oracle
from cti.lab.citizens import Citizens
from queues.board import mask
from tests.asterisk.conftest import LEAD, Hotline

pytestmark = pytest.mark.asterisk

CALLERS = {"1001": "13800000096", "1002": "13800000097"}
SEATS = {"1001": "3001", "1002": "3002"}


def export(hotline: Hotline, path: str) -> list[dict[str, str]]:
    """The lead's CSV of today: a dict a line, by the English heads."""
    page = hotline.page(LEAD)
    asked = urllib.request.Request(f"{page.url}/api/v1/{path}/export", headers={"Cookie": page.cookie})  # noqa: S310
    with urllib.request.urlopen(asked, timeout=10) as reply:  # noqa: S310
        text = reply.read().decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    return [dict(zip((name.split(" ", 1)[1] for name in head), row, strict=True)) for row in rows]


def talked(hotline: Hotline, citizens: Citizens, agent: str, seconds: float) -> str:
    """*agent*, alone on the queue, talks with his caller, who hangs up so many seconds after he rang; the call."""
    hotline.sign_in(**{f"a{agent}": SEATS[agent]})
    call_id = citizens.call("12319", seconds, CALLERS[agent])
    hotline.until(lambda: hotline.agent(agent)["state"] == "talking")
    hotline.until(lambda: hotline.agent(agent)["state"] != "talking", seconds + 5)
    assert hotline.page(agent).ask("POST", "me/sign-out").status == 200
    hotline.until(lambda: "No Members" in hotline.members())
    return call_id


def test_the_ledger_is_what_asterisk_wrote_call_for_call(hotline: Hotline, citizens: Citizens) -> None:
    """GJ 第十五条: a line for each answered call and none for who hung up waiting; waits, talks and times agree."""
    zone = ZoneInfo(hotline.page(LEAD).ask("GET", "me").body["zone"])
    calls = {talked(hotline, citizens, "1001", 4): "1001", talked(hotline, citizens, "1002", 6): "1002"}
    lost = citizens.call("12319", 1, "13800000098")
    hotline.settled(3)

    lines = {line["Call"]: line for line in export(hotline, "tickets")}
    logged = oracle.read_queue_log(hotline.lab.queue_log)
    done = {row.call_id: row for row in logged if row.verb in ("COMPLETECALLER", "COMPLETEAGENT")}
    taken = {row.call_id: row for row in logged if row.verb == "CONNECT"}
    cdr = {row.uniqueid: row for row in oracle.read_cdr(hotline.lab.cdr) if row.uniqueid in {*calls, lost}}
    assert lines.keys() == done.keys() == calls.keys() == cdr.keys() - {lost}

    for call_id, agent in calls.items():
        line, end = lines[call_id], done[call_id]
        assert (line["First responsibility"], line["Owner"], line["Caller"]) == (
            f"{agent} 测试话务员{agent}", f"{agent} 测试话务员{agent}", mask(CALLERS[agent])
        )  # fmt: skip
        assert (end.agent, cdr[call_id].disposition, line["Recording"]) == (agent, "ANSWERED", "完好 Whole")
        wait, talk, opened = float(line["Wait s"]), float(line["Talk s"]), _moment(line["Opened"], zone)
        assert [abs(told - int(said)) <= 1.1 for told, said in zip((wait, talk), end.data, strict=False)] == [True] * 2
        assert taken[call_id].at - 1 <= opened < taken[call_id].at + 2  # queue_log cuts to whole seconds
        assert float(cdr[call_id].start) <= opened + 1
        assert abs(opened + talk - float(cdr[call_id].end)) <= 2.1

    acts = [(line["Number"], line["Act"].split()[0]) for line in export(hotline, "duty-log")]
    names = {"ADDMEMBER": "签入", "REMOVEMEMBER": "签出"}
    assert acts == [(row.agent, names[row.verb]) for row in logged if row.verb in names]


def _moment(text: str, zone: ZoneInfo) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()
