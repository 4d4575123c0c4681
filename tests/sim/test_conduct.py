"""Conduct on duty with the real engine, real rows, a virtual clock, and restarts in the middle."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.shifts import Shift
from cti.ami import events as ami
from cti.commands import GoBusy, GoReady, SignIn, SignOut
from cti.commands.conduct import (
    Arrive,
    AskPermit,
    DecidePermit,
    RecordTraining,
    SeatUnproved,
    WithdrawPermit,
)
from cti.commands.roster import PutShifts, ShiftEntry
from cti.engine.duty.conduct import Conduct
from cti.errors import BadInput
from tests.sim.house import MORNING, House
from tests.sim.on_duty import HALF, LENGTH, OnDuty, seated
from tests.sim.pbx import QUEUE

MS = timedelta(milliseconds=1)


def conduct(house: House) -> Conduct:
    return next(part for part in house.engine.world.parts if isinstance(part, Conduct))


def pause(house: OnDuty, number: str, paused: bool, reason: str = "lunch") -> None:
    """Somebody pauses, or unpauses, the member past the console."""
    interface = house.pbx.members[number][0]
    house.pbx.members[number] = (interface, paused)
    now = house.clock.now()
    house.engine.hear(
        ami.QueueMemberPause(now, QUEUE, number, interface, 1, paused, reason, False, None, now, 0)
    )  # fmt: skip


def own_shift(house: OnDuty, number: str) -> Shift:
    found = conduct(house).roster.shift_at(number, house.clock.now())
    assert found is not None
    return found


async def test_windows_to_the_millisecond_and_a_permit_that_the_agent_uses_himself(tmp_path: Path) -> None:
    """HZ 第三十二条: refused, asked, agreed for a time by somebody else, done by the agent, every step in its row."""
    async with OnDuty(tmp_path) as house:
        await house.yes(SignIn("1001", "3001"))
        outcome = await house.told(GoBusy("1001", "ticket"))
        assert outcome.ruling.code == "first_minutes"
        assert (outcome.ruling.allowed_at, outcome.ruling.override) == (MORNING + HALF, "lead")
        assert await house.no(SignOut("1001")) == ("first_minutes", ["HZ 第三十二条"])
        asked = await house.yes(AskPermit("1001", "busy", "  头疼  "))
        assert house.engine.board()["duty"]["requests"] == 1
        assert (await house.no(AskPermit("1001", "busy", "再问一次")))[0] == "permit_open"
        until = house.clock.now() + timedelta(minutes=5)
        own = DecidePermit("1001", asked["permit_id"], True, "我自己同意", until)
        assert (await house.no(own))[0] == "own_request"
        assert (await house.no(own._replace(by="1002")))[0] == "not_lead"
        assert (await house.no(GoBusy("1001", "ticket")))[0] == "first_minutes"
        await house.restart()
        await house.yes(DecidePermit("9001", asked["permit_id"], True, "属实", until))
        assert house.state("1001") == "ready"  # nobody does it for him
        await house.yes(GoBusy("1001", "ticket"))
        assert (await house.no(SignOut("1001")))[0] == "first_minutes"  # agreed to a busy, to nothing else
        await house.yes(GoReady("1001"))
        await house.to(until - MS)
        await house.yes(GoBusy("1001", "meeting"))
        await house.yes(GoReady("1001"))
        await house.wait(0.001)
        assert (await house.no(GoBusy("1001", "ticket")))[0] == "first_minutes"
        row = house.rows("select agent, kind, reason, state, decided_by, answer from permits")
        assert row == [("1001", "busy", "头疼", "used", "9001", "属实")]
        assert house.rows("select used_at is not null, closed_at = until from permits") == [(1, 1)]
        await house.to(MORNING + HALF - MS)
        assert (await house.no(GoBusy("1001", "ticket")))[0] == "first_minutes"
        await house.wait(0.001)
        await house.yes(GoBusy("1001", "ticket"))
        await house.yes(GoReady("1001"))
        await house.to(MORNING + LENGTH - HALF - MS)
        await house.yes(GoBusy("1001", "ticket"))
        await house.wait(0.001)
        assert (await house.no(GoBusy("1001", "meeting")))[0] == "last_minutes"


async def test_one_sign_out_is_all_that_one_request_was_for(tmp_path: Path) -> None:
    """Used once; declined, withdrawn and lapsed ones open nothing; each refusal of a decision has its reason."""
    async with OnDuty(tmp_path) as house:
        await house.yes(SignIn("1001", "3001"))
        await house.agreed("1001", "sign_out")
        assert conduct(house).permitted("1001", "sign_out", house.clock.now())
        await house.yes(SignOut("1001"))
        assert conduct(house).released_by("1001", house.clock.now()) == "9001"
        await house.yes(SignIn("1001", "3001"))
        assert (await house.no(SignOut("1001")))[0] == "first_minutes"
        for decided in (False, None):
            asked = await house.yes(AskPermit("1001", "sign_out", "又有事"))
            if decided is None:
                assert (await house.no(WithdrawPermit("1002", asked["permit_id"])))[0] == "not_found"
                await house.yes(WithdrawPermit("1001", asked["permit_id"]))
            else:
                await house.yes(DecidePermit("9002", asked["permit_id"], False, "人手不够", None))
            assert (await house.no(SignOut("1001")))[0] == "first_minutes"
        late = await house.yes(AskPermit("1001", "sign_out", "等很久"))
        never = DecidePermit("9001", late["permit_id"], True, "好", None)
        assert (await house.no(never))[0] == "bad_time"
        await house.wait(7200)
        assert (await house.no(DecidePermit("9001", late["permit_id"], False, "晚了", None)))[0] == "not_open"
        states = [state for (state,) in house.rows("select state from permits order by asked_at, state")]
        assert sorted(states) == ["declined", "expired", "used", "withdrawn"]
        assert (await house.no(DecidePermit("9001", "p-none", True, "好", None)))[0] == "not_found"
        for words in ("", "   ", "字" * 201, "换\n行"):
            with pytest.raises(BadInput, match="reason"):
                await house.ask(AskPermit("1001", "busy", words))
        with pytest.raises(BadInput, match="kind"):
            await house.ask(AskPermit("1001", "holiday", "有事"))


async def test_a_busy_beyond_its_time_is_alarmed_and_left_as_it_is(tmp_path: Path) -> None:
    """At the agreed moment to the millisecond, once, also over a restart; an empty chair is not put ready."""
    async with OnDuty(tmp_path) as house:
        await house.yes(SignIn("1001", "3001"))
        await house.agreed("1001", "busy", minutes=10)
        until = house.clock.now() + timedelta(minutes=10)
        await house.yes(GoBusy("1001", "ticket"))
        await house.to(until - MS)
        assert house.alarms("busy_over_time") == []
        await house.wait(0.001)
        assert house.alarms("busy_over_time") == [(until, "1001")]
        assert house.engine.board()["duty"]["over_time"] == ["1001"]
        await house.restart()
        assert house.state("1001") == "busy"
        assert house.engine.board()["duty"]["over_time"] == ["1001"]
        assert (await house.own("1001"))["over_time"] is True
        assert len(house.alarms("busy_over_time")) == 1
        await house.yes(GoReady("1001"))
        assert house.engine.board()["duty"]["over_time"] == []


async def test_a_restart_over_the_end_of_a_permit_alarms_afterwards(tmp_path: Path) -> None:
    """The moment passed while the service was down: it is told when it runs again."""
    async with OnDuty(tmp_path) as house:
        await house.yes(SignIn("1001", "3001"))
        await house.agreed("1001", "busy", minutes=10)
        await house.yes(GoBusy("1001", "ticket"))
        await house.kill()
        await house.clock.advance(3600, settle=0)
        await house.boot()
        await house.wait(0)
        assert [agent for _, agent in house.alarms("busy_over_time")] == ["1001"]


async def test_outside_ones_own_shift_only_with_the_leads_word(tmp_path: Path) -> None:
    """HZ 第二十条: 1004 has no shift; 1001 ten minutes before his own; a permit is for one sign-in."""
    async with OnDuty(tmp_path, before=timedelta(minutes=10, milliseconds=1), rostered=("1001",)) as house:
        night = ShiftEntry("1002", MORNING - LENGTH, MORNING, "night")
        await house.yes(PutShifts("9001", (night,), "补录夜班"))
        assert await house.no(SignIn("1001", "3001")) == ("not_own_shift", ["HZ 第二十条"])
        await house.wait(0.001)
        await house.yes(SignIn("1001", "3001"))
        outcome = await house.told(SignIn("1004", "3004"))
        assert (outcome.ruling.code, outcome.ruling.override, outcome.ruling.allowed_at) == (
            "not_own_shift", "lead", None
        )  # fmt: skip
        await house.agreed("1004", "sign_in", minutes=60)
        await house.yes(SignIn("1004", "3004"))
        await house.yes(SignOut("1004"))  # no shift of his own: no window of one either
        assert (await house.no(SignIn("1004", "3004")))[0] == "not_own_shift"
        await house.to(MORNING + LENGTH)
        await house.yes(SignIn("1004", "3004"))  # no shift of anybody: the roster does not speak of this hour


async def test_more_than_two_months_off_the_post_needs_a_recorded_retraining(tmp_path: Path) -> None:
    """QD 第二十三条, by the duty log and over a restart; a newcomer is not refused; nobody trains himself."""
    async with OnDuty(tmp_path) as house:
        await house.yes(SignIn("1001", "3001"))
        await house.to(MORNING + LENGTH)
        await house.yes(SignOut("1001"))
        left = house.clock.now()
        await house.kill()
        house.clock.step(datetime(2027, 1, 21, 12, 0, 0, 250_000, MORNING.tzinfo) - left)  # 20:00 in Heze, as he left
        await house.boot()
        await house.yes(SignIn("1001", "3001"))
        await house.yes(SignOut("1001"))
        house.clock.step(datetime(2027, 3, 21, 12, 0, 0, 251_000, MORNING.tzinfo) - house.clock.now())
        assert await house.no(SignIn("1001", "3001")) == ("retraining_needed", ["QD 第二十三条"])
        await house.yes(SignIn("1002", "3002"))  # never was on post
        assert (await house.no(RecordTraining("9001", "9001", "已考核")))[0] == "own_training"
        assert (await house.no(RecordTraining("9001", "1999", "已考核")))[0] == "unknown_agent"
        await house.yes(RecordTraining("9001", "1001", "业务考核92分"))
        await house.restart()
        await house.yes(SignIn("1001", "3001"))
        assert house.rows('select agent, "by", note from trainings') == [("1001", "9001", "业务考核92分")]


async def test_coming_to_the_post_is_kept_and_follows_from_signing_in(tmp_path: Path) -> None:
    """到岗 by saying so, by signing in, and by staying at the seat from an earlier shift; once each."""
    async with OnDuty(tmp_path, before=timedelta(minutes=20)) as house:
        shift = conduct(house).roster.next_shift("1001", house.clock.now())
        assert shift is not None
        assert (await house.own("1001"))["can_arrive"]
        await house.yes(Arrive("1001"))
        came = house.clock.now()
        assert (await house.no(Arrive("1001")))[0] == "arrived_already"
        await house.to(MORNING - timedelta(minutes=5))
        await house.yes(SignIn("1002", "3002"))
        await house.restart()
        arrived = {n: conduct(house).arrived_at(own) for n in ("1001", "1002", "1003") for own in [
            next(s for s in conduct(house).roster.shifts_between(MORNING, MORNING + MS) if s.agent == n)
        ]}  # fmt: skip
        assert arrived == {"1001": came, "1002": MORNING - timedelta(minutes=5), "1003": None}
        evening = ShiftEntry("1002", MORNING + LENGTH, MORNING + LENGTH + timedelta(hours=3), "night")
        await house.to(MORNING + timedelta(hours=1))
        await house.yes(PutShifts("9001", (evening,), "加班"))
        coming = conduct(house).roster.next_shift("1002", house.clock.now())
        assert coming is not None
        assert conduct(house).arrived_at(coming) is None  # hours ahead: he may yet go
        await house.to(MORNING + LENGTH + timedelta(hours=1))
        assert conduct(house).arrived_at(coming) == MORNING - timedelta(minutes=5)
        log = house.rows("select agent, act from duty_log order by seq")
        assert log == [("1001", "arrived"), ("1002", "signed_in")]


async def test_a_site_without_a_roster_is_held_to_none_of_it(tmp_path: Path) -> None:
    """No windows, no own shift, no line: exactly as before there was a roster."""
    async with OnDuty(tmp_path, rostered=()) as house:
        await house.yes(SignIn("1001", "3001"))
        await house.yes(GoBusy("1001", "break"))
        await house.yes(SignOut("1001"))
        assert (await house.own("1001"))["windows"] == []
        assert (await house.no(Arrive("1001")))[0] == "no_shift_to_arrive_for"


CHECKED: dict[str, Any] = {"signin.seat_check": True}


async def test_a_sign_in_from_a_page_is_proved_at_the_seats_phone(tmp_path: Path) -> None:
    """The page's sign-in rings the seat and signs nobody in; the PIN typed there does. One ring at a time."""
    async with OnDuty(tmp_path, values=CHECKED) as house:
        answer = await house.yes(SignIn("1001", "3001"))
        assert answer["state"] == "checking"
        assert house.state("1001") == "signed_out"
        ring = house.rung[-1]
        assert (ring.agent, ring.seat, ring.interface) == ("1001", "3001", "Local/3001@lab-seats/n")
        assert (await house.no(SignIn("1001", "3002")))[0] == "seat_checking"
        assert (await house.no(SignIn("1002", "3001")))[0] == "seat_checking"
        assert (await house.own("1001"))["seat_check"]["state"] == "checking"
        await house.yes(SignIn("1001", "3001", proved=True))
        assert house.state("1001") == "ready"
        assert (await house.own("1001"))["seat_check"] is None
        await house.yes(SeatUnproved(ring.check_id))  # the phone's session ends after it has signed in
        assert (await house.own("1001"))["seat_check"] is None
        await house.yes(SignIn("1002", "3002", proved=True))  # at the phone itself: nothing to prove twice
        assert len(house.rung) == 1


@pytest.mark.parametrize("how", ["wrong", "unanswered", "silent"])
async def test_a_check_that_fails_is_said_and_may_be_tried_again(tmp_path: Path, how: str) -> None:
    """Wrong PINs, a phone that nobody answers, an answer that never comes: not signed in, no alarm, no lock."""
    async with OnDuty(tmp_path, before=timedelta(minutes=9), values=CHECKED) as house:
        await house.yes(SignIn("1001", "3001"))
        check_id = house.rung[-1].check_id
        if how == "wrong":
            await house.yes(SeatUnproved(check_id))
        elif how == "unanswered":
            house.engine.hear(ami.OriginateResponse(house.clock.now(), check_id, False, 3, None))
            await house.quiet()
        else:
            await house.wait(180)
        assert (await house.own("1001"))["seat_check"]["state"] == "unproved"
        assert house.state("1001") == "signed_out"
        assert house.rows("select count(*) from outbox where kind = 'alarm'") == [(0,)]
        await house.yes(SignIn("1001", "3001"))
        assert len(house.rung) == 2


@pytest.mark.parametrize("choice", ["mark", "revert"])
async def test_a_pause_past_the_console_is_marked_or_undone(tmp_path: Path, choice: str) -> None:
    """HZ 第二十一条: which of both is the profile's; a row of the duty log either way, and each act undone once."""
    async with OnDuty(tmp_path, values={"busy.past_console": choice}) as house:
        await house.yes(SignIn("1001", "3001"))
        await house.wait(5)
        pause(house, "1001", True)
        await house.quiet()
        await house.wait(5)
        undone = choice == "revert"
        assert house.pbx.members["1001"][1] is not undone
        assert (house.engine.agent("1001").outside is None) is undone  # type: ignore[union-attr]
        acts = house.rows("select act, reason from duty_log where act in ('outside', 'inside') order by seq")
        assert acts == [("outside", "pause:lunch"), *([("inside", "pause:lunch")] if undone else [])]
        await house.to(MORNING + HALF)
        await house.yes(GoBusy("1001", "ticket"))
        await house.wait(5)
        pause(house, "1001", False, "")
        await house.quiet()
        await house.wait(5)
        assert house.pbx.members["1001"][1] is undone


async def test_whoever_talks_is_put_right_after_the_talk(tmp_path: Path) -> None:
    """No action at a member in conversation: it is made when the talk ends."""
    async with OnDuty(tmp_path, values={"busy.past_console": "revert"}) as house:
        await house.yes(SignIn("1001", "3001"))
        house.pbx.enter()
        call = house.pbx.open_calls()[0]
        house.pbx._ring(call, "1001")
        house.pbx._connect(call)
        await house.quiet()
        pause(house, "1001", True)
        await house.quiet()
        await house.wait(10)
        assert house.pbx.members["1001"][1] is True
        house.pbx._complete(call)
        await house.quiet()
        assert house.pbx.members["1001"][1] is False


async def test_the_log_holds_every_act_and_what_is_counted_of_it(tmp_path: Path) -> None:
    """HZ 第二十条, GJ 第十五条: in order, with who did it; counted busy time of the local day, over a restart."""
    async with OnDuty(tmp_path) as house:
        await seated(house, "1001", "1002", "1003")
        await house.yes(GoBusy("1001", "break"))
        await house.wait(90)
        await house.yes(GoBusy("1001", "meeting"))
        await house.wait(60)
        await house.yes(GoBusy("1001", "meal"))
        await house.restart()
        await house.wait(30)
        line = next(line for line in house.engine.board()["agents"] if line["number"] == "1001")
        assert line["busy_counted_ms"] == 90_000
        since = datetime.fromisoformat(line["busy_counted_since"])
        assert house.clock.now() - since == timedelta(seconds=30)
        before = house.engine.board()["duty"]["version"]
        await house.yes(SignOut("1001", by="9001"))
        assert house.engine.board()["duty"]["version"] > before
        line = next(line for line in house.engine.board()["agents"] if line["number"] == "1001")
        assert (line["busy_counted_ms"], line["busy_counted_since"]) == (120_000, None)
        log = house.rows('select act, seat, reason, "by" from duty_log where agent = ? order by seq', "1001")
        assert log == [
            ("signed_in", "3001", None, None), ("busy", "3001", "break", None), ("busy", "3001", "meeting", None),
            ("busy", "3001", "meal", None), ("signed_out", "3001", None, "9001"),
        ]  # fmt: skip
        assert conduct(house).last_on_post("1001") == house.clock.now()
        assert [act.kind.value for act in conduct(house).recent("1001")] == [row[0] for row in log]
        assert house.rows("select count(*), count(distinct seq), max(seq) from duty_log") == [(7, 7, 7)]


async def test_whoever_is_put_off_the_seat_is_not_held_by_the_shifts_windows(tmp_path: Path) -> None:
    """Somebody who was shut out must not keep ringing; in the window too, but not out of a conversation."""
    async with OnDuty(tmp_path) as house:
        await house.yes(SignIn("1001", "3001"))
        house.pbx.enter()
        call = house.pbx.open_calls()[0]
        house.pbx._ring(call, "1001")
        house.pbx._connect(call)
        await house.quiet()
        assert (await house.no(SignOut("1001", by="9999")))[0] == "talking"
        house.pbx._complete(call)
        await house.quiet()
        await house.yes(SignOut("1001", by="9999"))
