"""A call's life from facts: what each history must end in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from queues.callflow import apply, hung_up, leg_gone
from queues.calls import Call
from queues.facts import (
    Answered,
    CallFact,
    Completed,
    Ending,
    Entered,
    Left,
    NotAnswered,
    Offered,
    OfferEnd,
    Vanished,
)

T0 = datetime(2026, 11, 21, 1, 0, 0, 250_000, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def story(*facts: CallFact) -> Call:
    call: Call | None = None
    for fact in facts:
        call = apply(call, fact)
    assert call is not None
    return call


def test_both_clocks_are_measured_from_event_times_in_milliseconds() -> None:
    """HZ 第七条: the caller's clock runs from the queue entry, the agent's from the offer, to the millisecond."""
    call = story(
        Entered("1.1", at(0), "hotline", "13800000001"),
        Offered("1.1", at(2.5), "1001", "1.2"),
        Answered("1.1", at(15.9), "hotline", "1001", "1.2", hold_s=15),
    )
    assert (call.wait_ms, call.ring_ms) == (15_900, 13_400)
    assert call.within(timedelta(seconds=15)) == (False, True)


def test_exactly_fifteen_seconds_is_in_time_and_a_millisecond_more_is_not() -> None:
    """「铃响15秒之内」: the edge is inclusive."""
    limit = timedelta(seconds=15)
    for seconds, good in ((15.0, True), (15.001, False)):
        call = story(
            Entered("1.1", at(0), "hotline", ""),
            Offered("1.1", at(0), "1001", "1.2"),
            Answered("1.1", at(seconds), "hotline", "1001", "1.2"),
        )
        assert call.within(limit) == (good, good)


def test_ring_no_answer_ends_the_offer_with_its_length_and_the_next_agent_answers() -> None:
    """Each offer keeps its own ring time; the one who answered is responsible (首问责任)."""
    call = story(
        Entered("1.1", at(0), "hotline", "13800000001"),
        Offered("1.1", at(0.1), "1001", "1.2"),
        NotAnswered("1.1", at(15.1), "1001", 15_000),
        Offered("1.1", at(16), "1002", "1.3"),
        Answered("1.1", at(17.25), "hotline", "1002", "1.3"),
    )
    assert [(o.agent, o.end, o.ring_ms) for o in call.offers] == [
        ("1001", OfferEnd.NO_ANSWER, 15_000),
        ("1002", OfferEnd.ANSWERED, 1_250),
    ]
    assert call.agent == "1002"


def test_a_refused_ring_is_told_from_one_that_ran_out() -> None:
    """A phone that refuses ends the ring at once; that is not 'did not answer'."""
    call = story(
        Entered("1.1", at(0), "hotline", ""),
        Offered("1.1", at(1), "1001", "1.2"),
        NotAnswered("1.1", at(1.02), "1001", 0),
    )
    assert call.offers[0].end is OfferEnd.REJECTED


def test_queue_log_tells_why_the_caller_left() -> None:
    """QueueCallerAbandon comes on time-out too; the reason waits for queue_log and then replaces 'left'."""
    for ending in (Ending.ABANDONED, Ending.TIMED_OUT, Ending.EMPTY, Ending.KEY, Ending.WITHDRAWN):
        call = story(
            Entered("1.1", at(0), "hotline", ""),
            Left("1.1", at(31), Ending.LEFT),
            Left("1.1", at(30.75), ending, exact=False),
        )
        assert (call.ending, call.ended_at, call.wait_ms) == (ending, at(31), 31_000)


def test_a_caller_who_gives_up_while_a_phone_rings_cancels_the_offer() -> None:
    """The agent is not blamed for a ring that the caller ended."""
    call = story(
        Entered("1.1", at(0), "hotline", ""),
        Offered("1.1", at(1), "1001", "1.2"),
        Left("1.1", at(4), Ending.LEFT),
    )
    assert (call.offers[0].end, call.offers[0].ring_ms) == (OfferEnd.CANCELLED, 3_000)


def test_an_exact_time_replaces_a_rounded_one_and_never_the_other_way() -> None:
    """queue_log knows whole seconds only; whichever witness comes first, the event's microseconds stay."""
    rounded = Answered("1.1", at(4).replace(microsecond=0), "hotline", "1001", "1.2", exact=False)
    exact = Answered("1.1", at(4.4), "hotline", "1001", "1.2")
    entered = Entered("1.1", at(0), "hotline", "")
    first, second = story(entered, rounded, exact), story(entered, exact, rounded)
    assert first.answered_at == second.answered_at == at(4.4)
    assert first.wait_ms == second.wait_ms == 4_400
    assert first.answer_exact
    assert second.answer_exact


def test_the_entry_told_after_the_answer_completes_the_call() -> None:
    """An answer whose entry was not seen opens the call; the late entry brings number and times."""
    call = story(
        Answered("1.1", at(6), "hotline", "1001", "1.2", hold_s=5),
        Entered("1.1", at(0.5), "hotline", "13800000001", "1.0"),
        Offered("1.1", at(2), "1001", "1.2"),
    )
    assert (call.caller, call.linkedid, call.wait_ms, call.ring_ms) == ("13800000001", "1.0", 5_500, 4_000)
    assert len(call.offers) == 1


def test_after_a_transfer_to_another_agent_the_first_stays_responsible() -> None:
    """HZ 第四十四条 首问责任: a second answer of the same call is a second conversation, not a second owner."""
    call = story(
        Entered("1.1", at(0), "hotline", ""),
        Offered("1.1", at(0), "1001", "1.2"),
        Answered("1.1", at(2), "hotline", "1001", "1.2"),
        Completed("1.1", at(30), "1001", Ending.TRANSFERRED),
        Offered("1.1", at(31), "1002", "1.5"),
        Answered("1.1", at(33), "hotline", "1002", "1.5"),
        Completed("1.1", at(60), "1002", Ending.COMPLETED),
    )
    assert (call.agent, call.answered_at, call.talk_ended_at) == ("1001", at(2), at(30))
    assert [(o.agent, o.talk_ended_at) for o in call.offers] == [("1001", at(30)), ("1002", at(60))]
    assert call.ending is Ending.TRANSFERRED
    assert not call.closed
    assert hung_up(call, at(61)).ended_at == at(61)


def test_an_agents_leg_that_is_gone_ends_his_conversation_at_once() -> None:
    """After an AMI Redirect AgentComplete comes only with the end of the call; the leg's hang-up frees the agent."""
    call = story(
        Entered("1.1", at(0), "hotline", ""),
        Offered("1.1", at(0), "1001", "1.2"),
        Answered("1.1", at(2), "hotline", "1001", "1.2"),
    )
    call = leg_gone(call, "1.2", at(9))
    assert call.talk_ended_at == call.offers[0].talk_ended_at == at(9)
    assert not call.closed


def test_a_call_that_asterisk_no_longer_knows_is_lost_and_nobody_is_blamed() -> None:
    """Asterisk killed mid-call: open offers end as lost, an answered call keeps its answer."""
    waiting = story(Entered("1.1", at(0), "hotline", ""), Offered("1.1", at(1), "1001", "1.2"), Vanished("1.1", at(5)))
    assert (waiting.ending, waiting.offers[0].end, waiting.closed) == (Ending.LOST, OfferEnd.LOST, True)
    talking = story(
        Entered("1.1", at(0), "hotline", ""), Answered("1.1", at(2), "hotline", "1001", "1.2"), Vanished("1.1", at(5))
    )
    assert (talking.ending, talking.agent, talking.talk_ms()) == (Ending.LOST, "1001", 3_000)


def test_a_call_thought_lost_is_answered_after_all() -> None:
    """queue_log outweighs a guess: a CONNECT read back later makes the call an answered one."""
    call = story(
        Entered("1.1", at(0), "hotline", ""),
        Vanished("1.1", at(9)),
        Answered("1.1", at(3).replace(microsecond=0), "hotline", "1001", "1.2", exact=False),
        Completed("1.1", at(8).replace(microsecond=0), "1001", Ending.COMPLETED, exact=False),
    )
    assert (call.agent, call.ending, call.closed) == ("1001", Ending.COMPLETED, True)


def back_in_queue(*facts: CallFact) -> Call:
    """Answered by 1001, sent on, taken by nobody, and in the queue again with the same id; 1002 rings there."""
    return story(
        Entered("1.1", at(0), "hotline", "13800000001"),
        Offered("1.1", at(2), "1001", "1.2"),
        Answered("1.1", at(5), "hotline", "1001", "1.2"),
        Completed("1.1", at(30), "1001", Ending.TRANSFERRED),
        Entered("1.1", at(70), "hotline", "13800000001"),
        Offered("1.1", at(71), "1002", "1.3"),
        *facts,
    )


def test_a_phone_that_rings_for_a_caller_who_is_back_in_the_queue_stops_when_he_gives_up() -> None:
    """Nobody is shown as ringing for ever: by the queue's word, and by the caller's hang-up without it."""
    for over in (back_in_queue(Left("1.1", at(80), Ending.LEFT)), hung_up(back_in_queue(), at(80))):
        assert [o.end for o in over.offers] == [OfferEnd.ANSWERED, OfferEnd.CANCELLED]
        assert over.offers[1].ended_at == at(80)
        assert (over.agent, over.answered_at, over.wait_ms) == ("1001", at(5), 5_000)


def test_a_caller_who_is_back_in_the_queue_is_seen_to_wait_until_he_is_taken_or_gives_up() -> None:
    """Since he came back, not since he came; an entry that queue_log tells late, or told twice, brings nobody back."""
    back = back_in_queue()
    assert (back.waiting, back.waits_since, back.entered_at) == (True, at(70), at(0))
    taken = back_in_queue(Answered("1.1", at(75), "hotline", "1002", "1.3"))
    told_late = (Entered("1.1", at(70), "hotline", "1"), Entered("1.1", at(70), "hotline", "1", exact=False))
    for over in (taken, back_in_queue(Left("1.1", at(80), Ending.LEFT)), hung_up(back, at(80))):
        assert not over.waiting
    for fact in told_late:
        again = apply(taken, fact)
        assert again is not None
        assert not again.waiting


def test_a_second_stay_in_the_queue_is_not_the_entry_nor_the_answer_of_the_call() -> None:
    """First entry and answer were read from queue_log in a gap, in whole seconds; what is heard later is the second."""
    call = story(
        Entered("1.1", at(0), "hotline", "13800000001", exact=False),
        Answered("1.1", at(5), "hotline", "1001", None, hold_s=5, exact=False),
        Completed("1.1", at(30), "1001", Ending.TRANSFERRED, exact=False),
        Entered("1.1", at(70), "hotline", "13800000001"),
        Offered("1.1", at(71), "1001", "1.3"),
        Answered("1.1", at(75), "hotline", "1001", "1.3", hold_s=5),
    )
    assert (call.entered_at, call.answered_at, call.wait_ms, call.talk_ms()) == (at(0), at(5), 5_000, 25_000)
    assert [o.end for o in call.offers] == [OfferEnd.ANSWERED, OfferEnd.ANSWERED]
