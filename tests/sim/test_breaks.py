"""The break line (离岗轮席) by the real engine on a virtual clock: in turn, while enough seats stay manned."""

from __future__ import annotations

from pathlib import Path

from cti.commands import GoBusy, GoReady, SignIn
from cti.commands.conduct import (
    LeaveBreakLine,
)
from tests.sim.house import MORNING
from tests.sim.on_duty import HALF, LENGTH, OnDuty, seated

BREAK = ["QD 第十九条", "HOUSE 离岗轮席最少在席"]


async def test_breaks_take_turns_and_two_seats_stay_manned(tmp_path: Path) -> None:
    """QD 第十九条: first come first served, through a restart, let go as the next is ready or signs in."""
    async with OnDuty(tmp_path) as house:
        await seated(house, "1001", "1002", "1003")
        await house.yes(GoBusy("1001", "break"))
        assert await house.no(GoBusy("1002", "break")) == ("break_line", BREAK)
        await house.wait(1)
        outcome = await house.told(GoBusy("1003", "meal"))
        assert outcome.data["position"] == 2
        assert "第2位" in outcome.ruling.zh
        assert house.engine.board()["duty"]["break_line"] == ["1002", "1003"]
        await house.yes(GoBusy("1003", "ticket"))  # work away from the phone is no break; and it leaves the line
        await house.yes(GoReady("1003"))
        await house.wait(1)
        assert (await house.told(GoBusy("1003", "meal"))).data["position"] == 2
        await house.restart()
        assert house.engine.board()["duty"]["break_line"] == ["1002", "1003"]
        await house.yes(GoReady("1001"))
        assert [house.state(n) for n in ("1001", "1002", "1003")] == ["ready", "busy", "ready"]
        assert (await house.no(GoBusy("1001", "break")))[0] == "break_line"  # 1003 was before him
        await house.yes(SignIn("1004", "3004"))
        assert [house.state(n) for n in ("1001", "1003", "1004")] == ["ready", "busy", "ready"]
        await house.yes(LeaveBreakLine("1001"))
        assert (await house.no(LeaveBreakLine("1001")))[0] == "not_in_line"
        ended = house.rows("select agent, state from break_line order by entry_id")
        assert sorted(ended) == [("1001", "left"), ("1002", "let_go"), ("1003", "left"), ("1003", "let_go")]
        assert house.pbx.members["1002"][1] is True  # paused in Asterisk, as a busy of his own would be


async def test_nobody_is_let_go_while_a_caller_waits(tmp_path: Path) -> None:
    """The queue comes first: the line moves when the last waiting caller is answered."""
    async with OnDuty(tmp_path) as house:
        await seated(house, "1001", "1002", "1003")
        house.pbx.enter()
        await house.quiet()
        assert (await house.no(GoBusy("1003", "break")))[0] == "break_line"
        call = house.pbx.open_calls()[0]
        house.pbx._ring(call, "1001")
        await house.quiet()
        assert house.state("1003") == "ready"
        house.pbx._connect(call)
        await house.quiet()
        assert (house.state("1001"), house.state("1003")) == ("talking", "busy")


async def test_a_turn_that_comes_in_the_last_half_hour_is_no_turn(tmp_path: Path) -> None:
    """Every rule is asked again: HZ 第三十二条 has begun to speak, so the wait ends, and the agent reads why."""
    async with OnDuty(tmp_path) as house:
        await seated(house, "1001", "1002", "1003")
        await house.yes(GoBusy("1001", "break"))
        assert (await house.no(GoBusy("1002", "break")))[0] == "break_line"
        await house.to(MORNING + LENGTH - HALF)
        await house.yes(GoReady("1001"))
        assert house.state("1002") == "ready"
        dropped = (await house.own("1002"))["dropped"]
        assert dropped["code"] == "last_minutes"
        assert dropped["articles"][0]["article"] == "第三十二条"
        assert house.rows("select state, why from break_line") == [("dropped", "last_minutes")]


async def test_the_lead_may_let_somebody_go_past_the_line(tmp_path: Path) -> None:
    """An agreement outweighs the line; in the first half hour both articles are named, and there is no place in it."""
    async with OnDuty(tmp_path) as house:
        for number in ("1001", "1002"):
            await house.yes(SignIn(number, f"3{number[1:]}"))
        outcome = await house.told(GoBusy("1002", "break"))
        assert [a.cite() for a in outcome.ruling.articles] == ["HZ 第三十二条", *BREAK]
        assert (outcome.ruling.override, dict(outcome.data)) == ("lead", {})
        assert house.rows("select count(*) from break_line") == [(0,)]
        await house.agreed("1002", "busy")
        await house.yes(GoBusy("1002", "break"))
