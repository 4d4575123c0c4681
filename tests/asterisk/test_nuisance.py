"""Blocked callers at the door of a real Asterisk: turned away, never from an emergency; set again after a restart."""

from __future__ import annotations

import pytest

from cti.lab import oracle
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import LEAD, Hotline

pytestmark = pytest.mark.asterisk

NUISANCE, OTHER = "13800000091", "13800000092"


def block(hotline: Hotline, citizens: Citizens) -> str:
    """A caller is answered, marked, asked for and blocked; the block's id."""
    hotline.sign_in(a1001="3001")
    call_id = citizens.call("12319", 3, NUISANCE)
    hotline.until(lambda: hotline.rows("select ticket_id from tickets"))
    ((ticket_id,),) = hotline.rows("select ticket_id from tickets where call_id = ?", call_id)
    agent, lead = hotline.page("1001"), hotline.page(LEAD)
    assert agent.ask("PATCH", f"tickets/{ticket_id}", {"caller_kind": "nuisance"}).status == 200
    asked = agent.ask("POST", f"tickets/{ticket_id}/block", {"reason": "反复骚扰"})
    assert asked.status == 201, asked
    block_id: str = asked.body["block_id"]
    agreed = lead.ask("POST", f"blocks/{block_id}/decide", {"agree": True, "words": "同意"})
    assert agreed.status == 200, agreed
    hotline.until(lambda: f"CTI_BLOCK_{NUISANCE}=" in hotline.lab.cli("dialplan show globals"))
    hotline.settled(1)
    return block_id


def entered(hotline: Hotline) -> list[str]:
    """The numbers that queue_log saw, in order."""
    return [row.data[1] for row in oracle.read_queue_log(hotline.lab.queue_log) if row.verb == "ENTERQUEUE"]


def tries(hotline: Hotline) -> int:
    """How often the blocked caller was turned away."""
    return int(hotline.rows("select tries from blocks")[0][0])


def test_a_blocked_caller_is_turned_away_but_not_from_an_emergency(hotline: Hotline, citizens: Citizens) -> None:
    """He comes to no queue and into no recording; by the key he does; others, and who hides his number, as ever."""
    block_id = block(hotline, citizens)
    turned = citizens.call("12319", 30, NUISANCE)
    hotline.until(lambda: tries(hotline) == 1, 25)
    assert entered(hotline) == [NUISANCE]
    assert list(hotline.lab.recordings.rglob(f"{turned}.wav")) == []
    for came in ([NUISANCE, OTHER], [NUISANCE, OTHER, ""]):
        let_in = citizens.call("12319", 20, came[-1])
        hotline.until(lambda came=came: entered(hotline) == came)  # type: ignore[misc]
        assert citizens.hang_up(let_in)
    urgent = citizens.call("12319", 30, NUISANCE)
    menu = ("cti-blocked", "Read")
    citizens.wait_for(lambda: menu in {(c.context, c.application) for c in citizens.channels()}, "the words")
    far = next(leg.name for leg in citizens.channels() if leg.uniqueid == urgent)
    citizens.press(far, "1")
    hotline.until(lambda: entered(hotline) == [NUISANCE, OTHER, "", NUISANCE])
    assert tries(hotline) == 1
    citizens.hang_up(urgent)
    assert hotline.page(LEAD).ask("POST", f"blocks/{block_id}/end").status == 200
    hotline.until(lambda: f"CTI_BLOCK_{NUISANCE}=\n" in hotline.lab.cli("dialplan show globals") + "\n")
    citizens.call("12319", 10, NUISANCE)
    hotline.until(lambda: entered(hotline) == [NUISANCE, OTHER, "", NUISANCE, NUISANCE])


def test_a_restarted_asterisk_gets_its_switches_again(hotline: Hotline, citizens: Citizens) -> None:
    """Globals are gone with Asterisk; the service sets them when it is live again; its log has no number."""
    block(hotline, citizens)
    hotline.lab.kill()
    assert not [f for f in (hotline.lab.work / "etc").rglob("*.conf") if NUISANCE in f.read_text()], "in no file of it"
    hotline.lab.start()
    hotline.until(lambda: f"CTI_BLOCK_{NUISANCE}=" in hotline.lab.cli("dialplan show globals"), 20)
    assert NUISANCE not in (hotline.service.work / "log").read_text()
