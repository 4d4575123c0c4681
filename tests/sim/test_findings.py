"""Findings by the real engine on a virtual clock: each forbidden state, its evidence, and never from inside a gap."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cti.commands import GoBusy, GoReady, PageClosed, PageOpened, SignIn, SignOut
from cti.commands.conduct import AskPermit, DecidePermit
from cti.commands.findings import Appeal, RuleOnAppeal
from queues.facts import NotAnswered
from tests.sim.found import HOUR, alarms, found, miss, part, pause, reject, ring, roster, us
from tests.sim.house import MORNING, House
from tests.sim.pbx import QUEUE


async def test_not_answering_is_one_finding_with_every_missed_offer(house: House) -> None:
    """签入不接听: two rings run out; one finding, both as evidence, one alarm; answering a call ends the spell."""
    call = await ring(house, "1001")
    offered = house.clock.now()
    await miss(house, call)
    await house.wait(1.9)
    assert found(house) == []
    await house.wait(0.2)
    house.pbx._ring(call, "1001")
    await house.quiet()
    await miss(house, call, 12)
    await house.wait(3)
    (finding,) = found(house)
    assert (finding["kind"], finding["agent"], finding["state"]) == ("not_answering", "1001", "running")
    assert (finding["document"], finding["article"]) == ("HZ", "第二十一条")
    assert finding["began_at"] == us(offered)
    events = finding["evidence"]["events"]
    assert [(e["event"], e["call_id"], e["ring_ms"]) for e in events] == [
        ("AgentRingNoAnswer", call.call_id, 15000), ("AgentRingNoAnswer", call.call_id, 12000)
    ]  # fmt: skip
    assert (finding["evidence"]["missed"], finding["evidence"]["offers_today"]) == (2, 2)
    assert alarms(house) == [{"code": "finding", "agent": "1001", "what": "not_answering"}]
    assert [f["kind"] for f in house.engine.board()["duty"]["findings"]] == ["not_answering"]
    house.pbx._ring(call, "1001")
    await house.wait(2)
    house.pbx._connect(call)
    await house.quiet()
    (finding,) = found(house)
    assert (finding["state"], finding["ended_at"]) == ("found", us(house.clock.now()))


async def test_a_refused_call_is_told_from_one_not_answered(house: House) -> None:
    """拒接 is a finding of its own; both may go on for the same agent."""
    call = await ring(house, "1002")
    await reject(house, call)
    await house.wait(3)
    house.pbx._ring(call, "1002")
    await miss(house, call)
    await house.wait(3)
    assert [f["kind"] for f in found(house)] == ["rejected", "not_answering"]
    assert found(house)[0]["evidence"]["events"][0]["end"] == "rejected"


async def test_asterisk_stopped_while_a_call_rings_finds_nothing(house: House) -> None:
    """A clean stop ends offers as refused just before the link is lost; the 2 s that are waited tell."""
    call = await ring(house, "1001")
    await reject(house, call)
    await house.wait(0.5)
    house.drop()
    await house.quiet()
    await house.wait(30)
    await house.connect()
    await house.wait(30)
    assert found(house) == []
    call = await ring(house, "1001")
    await reject(house, call)
    await house.wait(3)
    assert len(found(house)) == 1  # and with the link up the same is found


async def test_an_offer_known_from_queue_log_only_is_not_judged(house: House) -> None:
    """The ring ran out while the link was away; queue_log tells it afterwards, and nobody is judged on it."""
    call = await ring(house, "1001")
    house.drop()
    await house.quiet()
    await house.wait(12)
    house.pbx._ring_no_answer(call)
    await house.wait(5)
    await house.connect()
    await house.wait(5)
    assert house.rows("select outcome from offers") == [("no_answer",)]
    assert found(house) == []


async def test_a_line_of_queue_log_without_its_event_is_not_judged(house: House) -> None:
    """The link is up, the event is missing: whole seconds are too rough to judge anybody by."""
    call = await ring(house, "1001")
    await house.wait(12)
    house.pbx._log(NotAnswered(call.call_id, house.clock.now(), "1001", 12_000, queue=QUEUE))
    house.read()
    await house.quiet()
    await house.wait(5)
    assert house.rows("select outcome from offers") == [("no_answer",)]
    assert found(house) == []


async def test_busy_while_a_caller_waits(house: House) -> None:
    """示忙拒接: who waited and how long, what rang; until ready. Busy with nobody waiting is no finding."""
    await house.ask(GoBusy("1003", "meal"))
    await house.wait(3)
    assert found(house) == []
    await house.ask(GoReady("1003"))
    call = await ring(house, "1001")
    await house.wait(4)
    await house.ask(GoBusy("1001", "meal"))
    await house.ask(GoBusy("1001", "ticket"))  # another reason is no further refusal
    await house.wait(3)
    await house.ask(GoBusy("1002", "meal"))
    await house.wait(10)
    await house.ask(GoReady("1001"))
    first, second = found(house, "busy_refusing")
    events = first["evidence"]["events"]
    assert [(e["event"], e.get("call_id"), e.get("rang_ms"), e.get("waited_ms")) for e in events] == [
        ("GoBusy", None, None, None), ("AgentCalled", call.call_id, 4000, None),
        ("QueueCallerJoin", call.call_id, None, 4000),
    ]  # fmt: skip
    assert (first["state"], first["ended_at"] - first["began_at"]) == ("found", 13_000_000)
    assert [e["event"] for e in second["evidence"]["events"]] == ["GoBusy", "QueueCallerJoin"]
    assert second["state"] == "running"


async def test_busy_that_the_lead_agreed_to_refuses_nobody(house: House) -> None:
    """The same busy with the same caller waiting, agreed to: no finding."""
    asked = await house.ask(AskPermit("1001", "busy", "家中急事"))
    assert asked is not None
    permit = house.rows("select permit_id from permits")[0][0]
    until = house.clock.now() + HOUR
    house.engine.world.leads.add("9001")
    decided = await house.ask(DecidePermit("9001", permit, True, "同意", until))
    assert decided is not None
    assert decided.ruling.allowed
    await ring(house, "1001")
    await house.ask(GoBusy("1001", "meal"))
    await house.wait(5)
    assert found(house) == []


async def test_busy_outlasting_a_gap_is_cut_and_starts_anew(house: House) -> None:
    """The first finding ends where the gap begins; the second begins where it ends and names the first."""
    await ring(house, "1001")
    await house.wait(2)
    await house.ask(GoBusy("1001", "meal"))
    await house.wait(10)
    lost = house.clock.now()
    house.drop()
    await house.quiet()
    await house.wait(60)
    await house.connect()
    back = house.clock.now()
    await house.wait(5)
    first, second = found(house, "busy_refusing")
    assert (first["ended_at"], first["state"]) == (us(lost), "found")
    assert (second["began_at"], second["evidence"]["continues"]) == (us(back), first["finding_id"])


async def test_a_pause_past_the_console(house: House) -> None:
    """绕过控制台: from the pause to its end; lifting a pause past the console refuses nobody."""
    when = house.clock.now()
    await pause(house, "1001", True)
    await house.wait(6)
    await pause(house, "1001", False)
    await house.ask(GoBusy("1002", "meal"))
    await house.wait(3)
    await pause(house, "1002", False)
    await house.wait(10)
    (finding,) = found(house)
    assert (finding["kind"], finding["began_at"], finding["state"]) == ("past_console", us(when), "found")
    assert finding["ended_at"] == us(when + timedelta(seconds=6))


@pytest.mark.parametrize(("stays", "findings"), [(60.0, 0), (60.001, 1)])
async def test_logged_in_but_not_signed_in(house: House, stays: float, findings: int) -> None:
    """登录不签入: 60 s are the grace, to the millisecond on both sides; only in one's own shift."""
    await house.ask(SignOut("1001"))
    await house.ask(SignOut("1002"))
    await roster(house, "1001", MORNING - HOUR)
    await house.ask(PageOpened("1002"))  # not rostered
    await house.ask(PageOpened("1001"))
    await house.wait(stays)
    await house.ask(SignIn("1001", "3001"))
    await house.wait(5)
    assert len(found(house)) == findings
    if findings:
        (finding,) = found(house)
        assert (finding["kind"], finding["agent"], finding["state"]) == ("logged_in_not_signed_in", "1001", "found")
        assert finding["ended_at"] - finding["began_at"] == 60_001_000


async def test_not_signed_in_is_shown_while_it_goes_on_and_cut_by_a_gap(house: House) -> None:
    """Live after the grace; the link's loss ends it there; after the gap it counts anew; the closed page ends it."""
    await house.ask(SignOut("1001"))
    await roster(house, "1001", MORNING - HOUR)
    await house.ask(PageOpened("1001"))
    await house.wait(63)
    assert [f["agent"] for f in house.engine.board()["duty"]["findings"]] == ["1001"]
    lost = house.clock.now()
    house.drop()
    await house.quiet()
    assert house.engine.board()["duty"]["findings"] == []
    await house.wait(300)
    await house.connect()
    back = house.clock.now()
    await house.wait(61.9)
    assert len(found(house)) == 1
    await house.wait(20)
    await house.ask(PageClosed("1001"))
    first, second = found(house)
    assert (first["state"], first["ended_at"]) == ("found", us(lost))
    assert (second["began_at"], second["ended_at"]) == (us(back), us(house.clock.now()))


START = MORNING.replace(microsecond=0) + timedelta(minutes=30)


async def test_a_restart_cuts_what_goes_on_and_judges_nobody_on_it(house: House) -> None:
    """The service dies while an agent is late: the finding ends with the last thing seen; none begins in the gap."""
    await house.ask(SignOut("1001"))
    shift = await roster(house, "1001", START)
    await house.wait((START - house.clock.now()).total_seconds() + 30)
    await house.kill()
    await house.clock.advance(120, settle=0)
    await house.boot()
    await roster(house, "1001", START)
    await house.wait(60)
    await house.ask(SignIn("1001", "3001"))
    await house.wait(5)
    late = found(house, "late")
    assert [(f["state"], f["evidence"]["cut_by_gap"]) for f in late] == [("found", True)]
    assert late[0]["ended_at"] < us(shift.starts_at + timedelta(seconds=31))
    gaps = house.rows("select began_at, ended_at from gaps")
    assert all(f["ended_at"] <= began or f["began_at"] >= ended for f in found(house) for began, ended in gaps)


async def test_killed_while_the_link_is_away_is_one_gap(house: House) -> None:
    """The gap that was open when the service died goes on after its restart, and is closed when it sees again."""
    house.drop()
    await house.quiet()
    lost = house.clock.now()
    await house.wait(60)
    await house.ask(SignOut("1004"))  # told while nothing is seen: the last word is no sign of sight
    await house.kill()
    await house.clock.advance(60, settle=0)
    await house.boot()
    assert house.rows("select began_at, ended_at from gaps") == [(us(lost), us(house.clock.now()))]


async def test_an_appeal_and_its_ruling(house: House) -> None:
    """申诉: by the one concerned, once, when it is over; ruled on by another, once; every step kept."""
    call = await ring(house, "1001")
    await miss(house, call)
    await house.wait(3)
    ident = found(house)[0]["finding_id"]

    async def says(command: Appeal | RuleOnAppeal) -> str:
        outcome = await house.ask(command)
        assert outcome is not None
        return outcome.ruling.code

    assert await says(Appeal("1001", ident, "电话有故障")) == "still_running"
    await house.ask(SignOut("1001"))
    assert await says(Appeal("1002", ident, "电话有故障")) == "not_yours"
    assert await says(RuleOnAppeal("9001", ident, False, "无")) == "not_appealed"
    assert await says(Appeal("1001", ident, "电话有故障")) == "ok"
    assert await says(Appeal("1001", ident, "再申诉")) == "appealed_already"
    assert await says(RuleOnAppeal("1001", ident, False, "无")) == "own_finding"
    assert await says(RuleOnAppeal("9001", ident, False, "经查属实")) == "ok"
    assert await says(RuleOnAppeal("9001", ident, True, "再裁定")) == "not_appealed"
    assert await says(Appeal("1001", "f-none", "无此记录")) == "no_such_finding"
    (finding,) = found(house)
    assert finding["state"] == "revoked"
    assert [(s["what"], s["by"], s["reason"]) for s in finding["steps"]] == [
        ("appealed", "1001", "电话有故障"), ("revoked", "9001", "经查属实")
    ]  # fmt: skip


async def test_another_part_records_and_ends_a_finding(house: House) -> None:
    """What the handover finds goes through the same ledger: told once, cut by gaps, refused from inside one."""
    article = house.engine.world.profile.rule("answer.refusing")
    assert article is not None
    findings, now = part(house), house.clock.now()
    ident = findings.record("seat_empty", "1001", article, now - timedelta(seconds=1), None, {"seat": "3001"}, now)
    assert ident is not None
    findings.finish(ident, now + timedelta(seconds=9), gap_ms=10_000)
    kept = findings.ledger.kept[ident]
    assert (kept.state, kept.evidence["gap_ms"], kept.evidence["seat"]) == ("found", 10_000, "3001")
    long_ago = now - timedelta(hours=1)  # before anything was seen
    assert findings.record("seat_empty", "1001", article, long_ago, now, {}, now) is None
    house.drop()
    await house.quiet()
    assert findings.record("seat_empty", "1001", article, now, None, {}, now) is None


async def test_offers_and_answers_of_today_survive_a_restart(house: House) -> None:
    """The counts beside a missed offer are the day's, not the process's."""
    call = await ring(house, "1001")
    await house.wait(2)
    house.pbx._connect(call)
    house.pbx._complete(call)
    await house.wait(10)
    await house.kill()
    await house.boot()
    await house.wait(5)
    call = await ring(house, "1001")
    await miss(house, call)
    await house.wait(3)
    (finding,) = found(house)
    assert (finding["evidence"]["offers_today"], finding["evidence"]["answered_today"]) == (2, 1)
