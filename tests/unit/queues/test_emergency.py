"""Emergencies: what makes one, the ladder to the edge of its steps, and a unit's numbers tried one after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from queues import emergency as core
from queues.directory import Target
from queues.emergency import DialEnd, Emergency, Ladder, Why

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LADDER = Ladder(timedelta(seconds=60), timedelta(seconds=30))
TARGETS = (Target("gas", "05305550001"), Target("gas", "05305550002"), Target("all", "05305550009"))
ONE = Emergency("e-1", Why.MENU, AT, call_id="1.1")
SECOND = timedelta(seconds=1)


def test_words_are_found_in_any_case() -> None:
    """The first word of the list that stands in what was typed."""
    words = ("漏气", "gas leak")
    assert core.word_in("住户反映楼道漏气", words) == "漏气"
    assert core.word_in("a GAS Leak at the door", words) == "gas leak"
    assert core.word_in("咨询缴费", words) is None


def test_the_ladder_steps_on_the_monotonic_clock_until_acknowledged() -> None:
    """First after 60 s, in at the very moment, then every 30 s; silent from the acknowledgement on."""
    one = core.armed(ONE, LADDER, 1000.0, "boot")
    assert [core.is_due(one, at) for at in (1059.999, 1060.0)] == [False, True]
    two = core.told_again(one, LADDER, 1060.0)
    assert (two.step, core.is_due(two, 1089.999), core.is_due(two, 1090.0)) == (1, False, True)
    assert not core.is_due(core.acknowledged(two, "9001", "已派人", AT), 9999.0)
    assert not core.is_due(core.armed(ONE, Ladder(None, None), 0.0, "boot"), 1e9)


def test_a_restart_keeps_the_step_and_a_reboot_takes_it_at_once() -> None:
    """The monotonic clock compares within one boot of the machine only."""
    one = core.armed(ONE, LADDER, 1000.0, "boot")
    assert core.resumed(one, 1030.0, "boot").due_mono == 1060.0
    assert core.resumed(one, 5.0, "another").due_mono == 5.0


def test_every_lead_is_named_in_turn_those_who_are_there_first() -> None:
    """And from the beginning again; without a lead nobody is named."""
    named = [core.whose(step, ["9002"], ["9001", "9002", "9003"]) for step in range(4)]
    assert named == ["9002", "9001", "9003", "9002"]
    assert core.whose(0, [], []) is None


def test_only_a_lead_acknowledges_and_only_once() -> None:
    """Who was first stays the one."""
    assert core.may_acknowledge(ONE, "1001", False, ()).code == "emergency_lead_only"
    assert core.may_acknowledge(ONE, "9001", True, ()).allowed
    done = core.acknowledged(ONE, "9001", "", AT)
    assert core.may_acknowledge(done, "9002", True, ()).code == "emergency_acknowledged"


def test_each_number_rings_when_the_one_before_ended_in_vain() -> None:
    """At the same moment; every attempt has its times; the answer ends the trying, the hang-up the dial."""
    dial = core.picked_up(core.dialling("ctieu-1.1", "1001", TARGETS, AT), AT + 2 * SECOND)
    dial = core.rang(dial, DialEnd.NO_ANSWER, AT + 22 * SECOND)
    dial = core.rang(dial, DialEnd.BUSY, AT + 23 * SECOND)
    dial = core.rang(dial, DialEnd.ANSWERED, AT + 30 * SECOND)
    assert [(a.end, a.began_at, a.ended_at) for a in dial.attempts] == [
        (DialEnd.NO_ANSWER, AT + 2 * SECOND, AT + 22 * SECOND),
        (DialEnd.BUSY, AT + 22 * SECOND, AT + 23 * SECOND),
        (DialEnd.ANSWERED, AT + 23 * SECOND, AT + 30 * SECOND),
    ]
    assert (dial.running, dial.reached) == (True, TARGETS[2])
    done = core.with_dialling(ONE, core.over(dial, AT + 60 * SECOND))
    assert (done.dialled_at, done.reached_at, done.reached_unit) == (AT, AT + 30 * SECOND, "all")
    assert done.running is None


def test_an_answer_leaves_the_rest_untried_and_a_last_number_in_vain_ends_it() -> None:
    """A dial in vain is one that the lead must hear of."""
    dial = core.picked_up(core.dialling("ctieu-1.1", "1001", TARGETS[:2], AT), AT)
    answered = core.over(core.rang(dial, DialEnd.ANSWERED, AT), AT)
    assert [a.end for a in answered.attempts] == [DialEnd.ANSWERED, DialEnd.NOT_TRIED]
    assert not core.failed(dial, answered)
    vain = core.rang(core.rang(dial, DialEnd.NO_ANSWER, AT), DialEnd.FAILED, AT)
    assert core.failed(dial, vain)
    assert core.rang(vain, DialEnd.ANSWERED, AT) == vain  # told late: over is over


def test_the_agent_who_hangs_up_or_does_not_pick_up_ends_the_dial() -> None:
    """What rang was cancelled, what did not ring was not tried; the agent away is told as such."""
    dial = core.dialling("ctieu-1.1", "1001", TARGETS[:2], AT)
    away = core.over(dial, AT, DialEnd.AGENT_AWAY)
    assert {a.end for a in away.attempts} == {DialEnd.AGENT_AWAY}
    gone = core.rang(core.picked_up(dial, AT), DialEnd.CANCELLED, AT + SECOND)
    assert [a.end for a in gone.attempts] == [DialEnd.CANCELLED, DialEnd.NOT_TRIED]


def test_one_dial_at_a_time_and_never_a_number_outside_the_directory() -> None:
    """Without a unit that fits nothing is dialled; a ticket is not asked for."""
    assert core.may_dial(ONE, (), ()).code == "no_unit_fits"
    assert core.may_dial(replace(ONE, ticket_id=None), TARGETS, ()).allowed
    busy = core.with_dialling(ONE, core.dialling("ctieu-1.1", "1001", TARGETS, AT))
    assert core.may_dial(busy, TARGETS, ()).code == "unit_dial_running"
