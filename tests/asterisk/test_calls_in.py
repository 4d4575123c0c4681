"""Rows of the catalogue's parts C and D that need no more than real calls and short figures of the house."""

from __future__ import annotations

import pytest

from cti.lab import oracle
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import LEAD, PIN, Hotline, House

pytestmark = pytest.mark.asterisk

SEATS = {"1001": "3001", "1002": "3002", "1003": "3003"}


def answered(hotline: Hotline, citizens: Citizens, caller: str) -> tuple[str, str, str]:
    """A caller rings, is answered and hangs up: the call's id, the ticket's, the agent's number."""
    call_id = citizens.call("12319", 30, caller)
    hotline.until(lambda: hotline.rows("select 1 from tickets where call_id = ?", call_id))
    ((ticket_id, agent),) = hotline.rows("select ticket_id, agent from tickets where call_id = ?", call_id)
    citizens.hang_up(call_id)
    hotline.until(lambda: hotline.rows("select 1 from calls where call_id = ? and ended_at is not null", call_id))
    return call_id, ticket_id, agent


def say(hotline: Hotline, agent: str, ticket_id: str, **particulars: str) -> None:
    """The agent says something of a ticket."""
    answer = hotline.page(agent).ask("PATCH", f"tickets/{ticket_id}", particulars)
    assert answer.status == 200, answer


def alarms(hotline: Hotline, code: str) -> list[str]:
    """What the lead was told under *code*: the subjects."""
    told = "select subject from outbox where kind = 'alarm' and json_extract(data, '$.code') = ? order by seq"
    return [subject for (subject,) in hotline.rows(told, code)]


def connected(hotline: Hotline) -> list[str]:
    """The calls that queue_log has as answered, in order."""
    return [row.call_id for row in oracle.read_queue_log(hotline.lab.queue_log) if row.verb == "CONNECT"]


def test_real_calls_of_one_area_are_a_surge(house: House, citizens: Citizens) -> None:
    """HZ 第四十九条: three calls from one area raise one alarm and stand in one group, with a notice to send out."""
    hotline = house(surge__calls="3", surge__calm="1", surge__within="600")
    hotline.sign_in(**{f"a{agent}": seat for agent, seat in SEATS.items()})
    before = len(connected(hotline))
    made = []
    for last in (1, 2, 3, 4):
        call_id, ticket_id, agent = answered(hotline, citizens, f"1380000007{last}")
        say(hotline, agent, ticket_id, kind="repair", area="east")
        made.append((call_id, ticket_id))
        if last == 2:
            assert alarms(hotline, "surge") == []
    hotline.until(lambda: alarms(hotline, "surge"))
    areas = [one for one in hotline.page(LEAD).ask("GET", "surges").body if one["by"] == "area"]
    assert [(one["code"], [t["ticket_id"] for t in one["tickets"]]) for one in areas] == [
        ("east", [ticket_id for _, ticket_id in made])
    ]
    assert "东区" in areas[0]["notice"]
    assert connected(hotline)[before:] == [call_id for call_id, _ in made]
    assert sorted(alarms(hotline, "surge")) == sorted(set(alarms(hotline, "surge")))  # by area once, by kind once


def test_a_media_caller_is_told_to_the_lead_while_he_talks(house: House, citizens: Citizens) -> None:
    """附件2 十: the agent's mark is on the lead's screen before the call is over; queue_log ends it afterwards."""
    hotline = house()
    hotline.sign_in(a1001="3001")
    call_id = citizens.call("12319", 60, "13800000075")
    hotline.until(lambda: hotline.rows("select 1 from tickets where call_id = ?", call_id))
    ((ticket_id,),) = hotline.rows("select ticket_id from tickets where call_id = ?", call_id)
    say(hotline, "1001", ticket_id, caller_kind="media")
    hotline.until(lambda: len(alarms(hotline, "media_caller")) == 1)
    told = [alarm for alarm in hotline.board()["alarms"] if alarm["code"] == "media_caller"]
    assert [alarm["agent"] for alarm in told] == ["1001"]
    ends = [row for row in oracle.read_queue_log(hotline.lab.queue_log) if row.call_id == call_id]
    assert [row.verb for row in ends] == ["ENTERQUEUE", "CONNECT"]
    citizens.hang_up(call_id)


def test_a_stub_that_is_not_handed_out_in_time_is_alarmed_once(house: House, citizens: Citizens) -> None:
    """KL 第十四条: here two seconds; the stub that was handed out in time is never told."""
    hotline = house(ticket__handout_repair="2")
    hotline.sign_in(a1001="3001")
    unit = {"zh": "东区管网", "en": "Pipes east", "role": "emergency", "numbers": [{"number": "05300000001"}]}
    assert hotline.page(LEAD).ask("PUT", "directory/units/pipes", unit).status in (200, 204)
    _, late, agent = answered(hotline, citizens, "13800000076")
    say(hotline, agent, late, kind="repair")
    hotline.until(lambda: alarms(hotline, "handout_overdue") == [late])
    hotline.until(lambda: hotline.agent("1001")["state"] == "ready")
    _, prompt, agent = answered(hotline, citizens, "13800000077")
    page = hotline.page(agent)
    say(hotline, agent, prompt, kind="consult")  # 20 minutes
    assert page.ask("POST", f"tickets/{prompt}/handout", {"unit": "pipes"}).status == 200
    hotline.service.kill()
    hotline.service.start()
    assert alarms(hotline, "handout_overdue") == [late]


def test_the_ladder_is_climbed_until_somebody_acknowledges(house: House, citizens: Citizens) -> None:
    """HZ 第五十条 of a real call: told at once, again after a second and a second, over a kill, then silent."""
    hotline = house(emergency__acknowledge_within="1", emergency__repeat="1")
    hotline.sign_in(a1001="3001")
    _, ticket_id, agent = answered(hotline, citizens, "13800000078")
    page = hotline.page(agent)
    raised = page.ask("POST", "emergencies", {"ticket_id": ticket_id})
    assert raised.status == 201, raised
    hotline.until(lambda: len(alarms(hotline, "emergency_again")) >= 2)
    hotline.service.kill()
    told = len(alarms(hotline, "emergency_again"))
    hotline.service.start()
    hotline.until(lambda: len(alarms(hotline, "emergency_again")) > told)
    path = f"emergencies/{raised.body['emergency_id']}/acknowledge"
    lead = hotline.service.log_in(LEAD, PIN)
    assert lead.ask("POST", path, {"note": "已到现场"}).status == 200
    silent = len(alarms(hotline, "emergency_again"))
    later = citizens.call("12319", 4, "13800000079")  # four seconds: steps enough for the ladder to be heard
    hotline.until(lambda: hotline.rows("select 1 from calls where call_id = ? and ended_at is not null", later), 20)
    assert len(alarms(hotline, "emergency_again")) == silent
    assert len(alarms(hotline, "emergency")) == 1
