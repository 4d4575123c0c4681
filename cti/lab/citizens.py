"""Simulated citizens and hands at the phones, over the lab's AMI account."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

from cti.lab.asterisk import LabAsterisk
from cti.lab.errors import LabError
from cti.lab.manager import Headers, Manager

INBOUND = "cti-inbound"
COLLEAGUES = "lab-colleagues"
_serial = itertools.count(1)
_OURS = re.compile(r"\d{10}\.9\d{6}")


class Channel(NamedTuple):
    """A leg that is alive."""

    name: str
    uniqueid: str
    linkedid: str
    context: str
    application: str
    bridge: str


class Citizens:
    """Places calls and moves them. Blocking; every method answers within 10 s or raises LabError.

    Args:
        host: where AMI listens.
        port: its port.
        username: an account that may originate, redirect and hang up.
        secret: its secret.
    """

    def __init__(self, host: str, port: int, username: str, secret: str) -> None:
        self.ami = Manager(host, port, username, secret)

    @classmethod
    def of(cls, lab: LabAsterisk) -> Citizens:
        """Citizens of *lab*."""
        return cls("127.0.0.1", lab.ami_port, "lab", lab.lab_secret)

    def call(
        self, number: str = "12319", seconds: float = 8, caller: str = "13800000001", name: str = "测试市民",
        say: str = "citizen",
    ) -> str:  # fmt: skip
        """A citizen dials *number* and hangs up after *seconds* of the whole call, waiting included.

        Args:
            number: what he dials.
            seconds: how long he stays, 0 for until he is hung up.
            caller: his number.
            name: his display name.
            say: an extension of lab-talk: ``citizen`` speaks, ``tone`` gives a steady tone.

        Returns:
            The call's id: the Uniqueid of the leg that waits in the queue, shaped as Asterisk shapes its own.
        """
        # Asterisk refuses a leg whose id is the beginning of a living leg's id, so all are equally long.
        epoch, serial = int(time.time()), next(_serial)
        call_id = f"{epoch}.9{serial:06d}"
        answer = self.ami.send(
            "Originate", Channel=f"Local/{number}@{INBOUND}/n", Context="lab-talk", Exten=say, Priority="1",
            CallerID=f'"{name}" <{caller}>', Variable=f"LAB_SECONDS={seconds:g}", Async="true", Timeout="30000",
            ChannelId=f"{epoch}.8{serial:06d}", OtherChannelId=call_id,
        )  # fmt: skip
        self._accepted(answer)
        return call_id

    def phone(self, code: str, seat: str, keys: str, before: float = 0.5) -> None:
        """The phone of *seat* dials a feature code and somebody types *keys* after *before* seconds.

        ``w`` among the keys is half a second of waiting.
        """
        answer = self.ami.send(
            "Originate", Channel=f"Local/{code}@lab-phone/n", Context="lab-hand", Exten="types", Priority="1",
            Variable=f"CTI_SEAT={seat},LAB_KEYS={keys},LAB_BEFORE={before:g}", Async="true", Timeout="10000",
        )  # fmt: skip
        self._accepted(answer)

    def hang_up(self, call_id: str) -> bool:
        """The citizen hangs up; False when the call is over already."""
        return self.ami.send("Hangup", Channel=call_id, Cause="16").get("Response") == "Success"

    def hang_up_agent(self, call_id: str) -> None:
        """The agent who talks in *call_id* hangs up.

        Raises:
            LabError: nobody talks with this caller.
        """
        self.ami.send("Hangup", Channel=self.agent_leg(call_id).name, Cause="16")

    def press(self, channel: str, keys: str) -> None:
        """The phone on *channel* sends *keys*, one after the other."""
        for key in keys:
            self._accepted(self.ami.send("PlayDTMF", Channel=channel, Digit=key, Duration="80", Receive="true"))
            time.sleep(0.12)

    def blind_transfer(self, call_id: str, seat: str) -> None:
        """The agent of *call_id* hands the caller to *seat* and is gone.

        Raises:
            LabError: nobody talks with this caller, or Asterisk refused.
        """
        leg = self.agent_leg(call_id)
        self._accepted(self.ami.send("BlindTransfer", Channel=leg.name, Exten=seat, Context=COLLEAGUES))

    def attended_transfer(self, call_id: str, seat: str, consult: float = 2.0) -> None:
        """The agent of *call_id* calls *seat*, talks for *consult* seconds and joins the two.

        Raises:
            LabError: nobody talks with this caller, or the consulted seat does not answer within 10 s.
        """
        leg = self.agent_leg(call_id)
        self._accepted(self.ami.send("Atxfer", Channel=leg.name, Exten=seat, Context=COLLEAGUES))
        self.wait_for(lambda: self._consulting(leg, seat), f"seat {seat} to answer the consultation")
        time.sleep(consult)
        self.ami.send("Hangup", Channel=leg.name, Cause="16")

    def _consulting(self, leg: Channel, seat: str) -> bool:
        now = {c.name: c for c in self.channels()}
        here = now.get(leg.name)
        return here is not None and any(
            c.name.startswith(f"Local/{seat}@{COLLEAGUES}") and c.bridge == here.bridge != ""
            for c in now.values() if c.name != leg.name
        )  # fmt: skip

    def agent_leg(self, call_id: str) -> Channel:
        """The leg bridged with the caller of *call_id*.

        Raises:
            LabError: nobody talks with this caller.
        """
        legs = self.channels()
        bridge = next((c.bridge for c in legs if c.uniqueid == call_id and c.bridge), None)
        other = next((c for c in legs if c.bridge == bridge and c.uniqueid != call_id), None) if bridge else None
        if other is None:
            raise LabError(f"nobody talks with {call_id}")
        return other

    def channels(self) -> list[Channel]:
        """Every leg that is alive."""
        return [_channel(item) for item in self.ami.items("CoreShowChannels")]

    def callers(self) -> list[str]:
        """Ids of the calls that citizens have going, in the queue or in talk."""
        return [
            leg.uniqueid for leg in self.channels() if leg.name.startswith("Local/") and _OURS.fullmatch(leg.uniqueid)
        ]

    def waiting(self, queue: str = "hotline") -> list[str]:
        """Ids of the callers in *queue*, first in line first."""
        return [
            item["Uniqueid"] for item in self.ami.items("QueueStatus", Queue=queue) if item["Event"] == "QueueEntry"
        ]

    def members(self, queue: str = "hotline") -> dict[str, Headers]:
        """Members of *queue* by name, as QueueStatus tells them."""
        items = self.ami.items("QueueStatus", Queue=queue)
        return {item["Name"]: item for item in items if item["Event"] == "QueueMember"}

    def missing(self, contexts: Sequence[str]) -> list[str]:
        """Those of *contexts* that the dialplan lacks; none when the account may not look."""
        if "ShowDialPlan" not in self.ami.send("ListCommands"):
            return []
        return [name for name in contexts if not self.ami.items("ShowDialPlan", Context=name)]

    def add_member(self, name: str, seat: str, queue: str = "hotline") -> None:
        """Make *seat* a member by AMI, as the service does at sign-in."""
        answer = self.ami.send("QueueAdd", Queue=queue, Interface=seat_interface(seat), MemberName=name)
        self._accepted(answer)

    def remove_member(self, seat: str, queue: str = "hotline") -> None:
        """End *seat*'s membership, whether it has one or not."""
        self.ami.send("QueueRemove", Queue=queue, Interface=seat_interface(seat))

    def wait_for(self, true: Callable[[], object], what: str, seconds: float = 10.0) -> None:
        """Ask every 50 ms until *true*.

        Raises:
            LabError: *what* did not come within *seconds*.
        """
        limit = time.monotonic() + seconds
        while not true():
            if time.monotonic() > limit:
                raise LabError(f"waited {seconds:g} s for {what}")
            time.sleep(0.05)

    def clear(self) -> None:
        """Hang up every leg."""
        for leg in self.channels():
            self.ami.send("Hangup", Channel=leg.name, Cause="16")

    def close(self) -> None:
        """End the session; calls go on."""
        self.ami.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accepted(self, answer: Headers) -> None:
        if answer.get("Response") != "Success":
            raise LabError(f"Asterisk refused: {re.sub(r'[^ -~]', '?', answer.get('Message', ''))}")


def seat_interface(seat: str) -> str:
    """The queue interface of a lab seat."""
    return f"Local/{seat}@lab-seats/n"


def _channel(item: Headers) -> Channel:
    return Channel(
        item["Channel"], item["Uniqueid"], item["Linkedid"], item["Context"], item["Application"], item["BridgeId"]
    )
