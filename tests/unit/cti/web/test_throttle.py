"""However many guess, and however long: the hotline can always be signed in to (issue B, point 3)."""

from __future__ import annotations

from datetime import UTC, datetime

from cti.clock import VirtualClock
from cti.web.throttle import LONGEST_S, LoginThrottle

AGENTS = [str(n) for n in range(1001, 1021)]


def attempt(throttle: LoginThrottle, number: str, source: str, right: bool = False) -> bool:
    """Whether the try was taken; a right one succeeds with it."""
    if throttle.wait_s(number, source):
        return False
    throttle.begin(number, source)
    if right:
        throttle.succeeded(number, source)
    return True


async def test_an_attack_on_every_number_delays_nobody_at_a_seat() -> None:
    """A day of guessing at all numbers from hundreds of addresses: at every seat the right PIN is taken at once."""
    clock = VirtualClock(datetime(2026, 11, 21, tzinfo=UTC))
    throttle = LoginThrottle(clock)
    for hour in range(24):
        for n in range(200):
            attempt(throttle, AGENTS[n % len(AGENTS)], f"10.0.{hour}.{n}")
        await clock.advance(3600 - LONGEST_S)
        for number in AGENTS:
            for n in range(40):
                attempt(throttle, number, f"10.1.{hour}.{n}")
            assert throttle.wait_s(number, "10.9.9.9") > 0  # a page that was never used waits
            assert attempt(throttle, number, f"seat 3{number[1:]}", right=True)
        await clock.advance(LONGEST_S)


async def test_guessing_at_one_phone_delays_that_phone_alone() -> None:
    """Per number and source: the same agent signs in at another seat's phone and on the page."""
    clock = VirtualClock(datetime(2026, 11, 21, tzinfo=UTC))
    throttle = LoginThrottle(clock)
    tries = sum(attempt(throttle, "1001", "seat 3001") for _ in range(100))
    assert tries == 3
    assert throttle.wait_s("1001", "seat 3001") > 0
    assert attempt(throttle, "1001", "seat 3002", right=True)
    assert attempt(throttle, "1001", "10.0.0.5", right=True)


async def test_the_longest_wait_is_half_a_minute() -> None:
    """Nobody is ever locked: after that the next try is taken, whatever happened before."""
    clock = VirtualClock(datetime(2026, 11, 21, tzinfo=UTC))
    throttle = LoginThrottle(clock)
    for _ in range(3000):
        attempt(throttle, "1001", "10.0.0.5")
        await clock.advance(1, settle=0)
        assert throttle.wait_s("1001", "10.0.0.5") <= LONGEST_S
    await clock.advance(LONGEST_S, settle=0)
    assert attempt(throttle, "1001", "10.0.0.5", right=True)
