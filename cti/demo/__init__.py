"""``cti demo``: a hotline's day on a real Asterisk, brought up, kept lively and taken down by one command."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from cti.demo.cast import AGENTS, LEAD, cast, playbill
from cti.demo.stage import Stage, own_stage, there_stage
from cti.errors import CtiError
from cti.lab.apt import RootfsError
from cti.lab.crowd import Crowd
from cti.lab.errors import LabError

__all__ = ["run_demo"]

LOOK_S = 0.5
VISITORS = AGENTS[0]


class _Ended(BaseException):
    """Somebody asked for the end. No Exception, so that nothing on the way takes it for a fault."""


def run_demo(pbx: str | None, ami_user: str, ami_secret: str, auto: bool) -> int:
    """Run until Ctrl-C, SIGTERM, or until Asterisk or the service ends by itself.

    Args:
        pbx: host, or host:port, of an Asterisk that is already there; None starts one.
        ami_user: with *pbx*, an AMI account that may originate.
        ami_secret: with *pbx*, its secret.
        auto: sign the first agent in too, instead of leaving that to the visitor.

    Returns:
        The exit status: 0 when somebody ended it, 1 when it could not start or something died; a line on standard
        error says what to do.
    """
    people = cast()
    try:
        with _signals(), own_stage(_say) if pbx is None else there_stage(pbx, ami_user, ami_secret, _say) as stage:
            stage.open(people)
            stage.roster(next(person for person in people if person.number == LEAD))
            signed_in = AGENTS if auto else tuple(agent for agent in AGENTS if agent is not VISITORS)
            stage.sign_in([person for person in people if person.number in {agent.number for agent in signed_in}])
            print(playbill(stage.service.url, people, auto), flush=True)
            return _play(stage)
    except _Ended:
        _say("ended, no process is left")
        return 0
    except (LabError, RootfsError, CtiError) as error:
        print(f"cti demo: {error}", file=sys.stderr)
        return 1
    finally:
        _sweep()


def _play(stage: Stage) -> int:
    over = threading.Event()
    crowd = Crowd(stage.citizens, stage.number, lambda _trouble: over.set())
    crowd.start()
    try:
        while not over.wait(LOOK_S):
            stage.look()
        stage.look()
        raise LabError("the AMI session ended: is Asterisk still running?")
    finally:
        crowd.stop()


@contextmanager
def _signals() -> Iterator[None]:
    """The first SIGINT, SIGTERM or SIGHUP raises ``_Ended``; while things end, further ones are ignored."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    ending = False

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal ending
        if not ending:  # make passes on what the terminal sent already
            ending = True
            raise _Ended

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _sweep() -> None:
    """End what a signal in the middle of a start left without an owner: all that is still a child of ours."""
    for listed in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # of a thread that has ended since
            for pid in listed.read_text().split():
                os.kill(int(pid), signal.SIGKILL)


def _say(line: str) -> None:
    print(f"· {line}", flush=True)
