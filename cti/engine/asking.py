"""Commands of people: each is ruled on by the pure core, and only then changes what is desired."""

from __future__ import annotations

import re
from datetime import datetime

from agents import presence, signin
from agents.presence import Agent
from cti.commands import (
    Command,
    DialNow,
    GoBusy,
    GoReady,
    Outcome,
    PageClosed,
    PageOpened,
    PeopleChanged,
    Popped,
    RequestCallback,
    SignIn,
    SignOut,
)
from cti.commands.dialling import CallerCame
from cti.engine.dialling import Diallings
from cti.engine.inputs import Align
from cti.engine.joining import Joins, join, of_key, open_one
from cti.engine.part import ActKind, StateAsked, take
from cti.engine.records import Callback
from cti.engine.world import World
from cti.ids import Ids
from cti.numbers import target
from cti.settings import Settings
from cti.store.dial_tables import callback_extensions
from regulations import Ruling, allowed, combined, refused


class Asking:
    """Takes commands into the world."""

    def __init__(self, world: World, diallings: Diallings, ids: Ids, settings: Settings) -> None:
        self.world = world
        self.diallings = diallings
        self.ids = ids
        self.pbx_id, self.hotline, self.callback = settings.pbx_id, settings.hotline, settings.callback
        self._seat = re.compile(self.hotline.seat_pattern)

    def take(self, command: Command, now: datetime) -> Outcome:
        """Rule on one command and, when it is allowed, carry it into the world.

        Raises:
            BadInput: a field of the command that cannot be taken.
        """
        match command:
            case SignIn():
                return self._sign_in(command, now)
            case SignOut() | GoBusy() | GoReady():
                return self._state(command, now)
            case Popped():
                self.world.changes.popped.append((command.ticket_id, now))
                return Outcome(allowed())
            case RequestCallback():
                return self._request(command, now)
            case DialNow():
                return self._dial(command, now)
            case CallerCame():
                return Outcome(self.diallings.caller_came(command.channel_id, now))
            case PageOpened() | PageClosed():
                return self._page(command, now)
            case PeopleChanged():
                return Outcome(allowed())  # they were read anew before this batch (duty.names_strangers)
            case _:
                return take(self.world.parts, command, now)

    def _sign_in(self, command: SignIn, now: datetime) -> Outcome:
        agent = self.world.agents.get(command.number)
        if agent is None:
            return Outcome(_unknown_agent())
        if not self._seat.fullmatch(command.seat):
            return Outcome(refused("unknown_seat", "席位号无效", f"seat: does not match {self.hotline.seat_pattern}"))
        taken = {a.seat: a.number for a in self.world.agents.values() if a.seat is not None}
        personal = self.world.profile.rule("signin.personal")
        ruling = self._ruled(command, agent, signin.may_sign_in(agent, command.seat, taken, personal), now)
        other = self._instead(command, agent, ruling, now)
        if other is None and ruling.allowed:
            interface = self.hotline.seat_interface.format(seat=command.seat)
            self._desire(presence.signed_in(agent, command.seat, interface, now))
            self.world.acted(ActKind.SIGNED_IN, agent.number, now, seat=command.seat)
        return other or Outcome(ruling)

    def _ruled(self, command: StateAsked, agent: Agent, first: Ruling, now: datetime) -> Ruling:
        """What every part says, together: each article that speaks is named, not the first alone."""
        if not first.allowed:
            return first
        return combined([first, *(r for part in self.world.parts for r in part.rules(command, agent, now))])

    def _instead(self, command: StateAsked, agent: Agent, ruling: Ruling, now: datetime) -> Outcome | None:
        said = (part.instead(command, agent, ruling, now) for part in self.world.parts)
        return next((outcome for outcome in said if outcome is not None), None)

    def _state(self, command: SignOut | GoBusy | GoReady, now: datetime) -> Outcome:
        agent = self.world.agents.get(command.number)
        if agent is None:
            return Outcome(_unknown_agent())
        by = command.by if isinstance(command, SignOut) else None
        match command:
            case SignOut():
                ruling = signin.may_sign_out(agent, by)
                after, kind = presence.signed_out(agent, now), ActKind.SIGNED_OUT
            case GoBusy():
                ruling = signin.may_go_busy(agent, command.reason, self.hotline.busy_reasons)
                after, kind = presence.busy(agent, command.reason, now), ActKind.BUSY
            case GoReady():
                ruling, after, kind = signin.may_be_ready(agent), presence.ready(agent, now), ActKind.READY
        if by is None:  # the rules of a shift bind the agent, not whoever puts him off the seat
            ruling = self._ruled(command, agent, ruling, now)
        other = self._instead(command, agent, ruling, now)
        if other is None and ruling.allowed:
            self._desire(after)
            reason = command.reason if isinstance(command, GoBusy) else None
            self.world.acted(kind, agent.number, now, seat=agent.seat, reason=reason, by=by)
        return other or Outcome(ruling)

    def _page(self, command: PageOpened | PageClosed, now: datetime) -> Outcome:
        pages, number = self.world.pages, command.number
        if isinstance(command, PageOpened):
            pages[number] += 1
            if pages[number] == 1:
                self.world.acted(ActKind.PAGE_OPENED, number, now)
        elif pages[number] > 0:
            pages[number] -= 1
            if not pages[number]:
                del pages[number]
                self.world.acted(ActKind.PAGE_CLOSED, number, now)
        return Outcome(allowed())

    def _desire(self, agent: presence.Agent) -> None:
        self.world.put_agent(agent)
        self.world.aligning.add(agent.number)
        self.world.changes.effects.append(Align(agent.number))

    def _request(self, command: RequestCallback, now: datetime) -> Outcome:
        known = of_key(self.world, command.request_key)
        if known is not None:
            return Outcome(allowed(), _view(known, command.request_key in known.joined_keys))
        if command.agent not in self.world.agents:
            return Outcome(_unknown_agent())
        number, extension = target(command.caller, self.callback.area_code, self.callback.allow)
        other = open_one(self.world, number, extension)
        if other is not None:
            return Outcome(allowed(), _view(self._join(other, command, now), joined=True))
        owed = len(self.world.owed_to(number))
        if owed >= self.callback.number_open:
            said = f"{owed} callbacks to this number are open already"
            return Outcome(refused("number_owed", f"该号码已有{owed}件回访未办结", said))
        callback = Callback(
            self.ids.make("c", now), command.ticket_id, number, command.agent, "due", command.since or now,
            command.by, command.request_key, None, extension=extension,
        )  # fmt: skip
        if extension:
            self.world.write(
                callback_extensions,
                {"callback_id": callback.callback_id, "pbx_id": self.pbx_id, "extension": extension},
            )
        return Outcome(allowed(), _view(self.diallings.plan(callback, command.not_before or now, now)))

    def _join(self, other: Callback, command: RequestCallback, now: datetime) -> Callback:
        """What rings its agent by itself rings as soon as anybody asked for; the desk's list keeps its plan."""
        asked = Joins(
            command.ticket_id, agent=command.agent, by=command.by, key=command.request_key, since=command.since
        )  # fmt: skip
        joined = join(self.world, self.ids, other, asked, now)
        wanted = command.not_before or now
        if joined.by_key or joined.state != "due" or joined.due_at is None or joined.due_at <= wanted:
            return joined
        return self.diallings.plan(joined, wanted, now)

    def _dial(self, command: DialNow, now: datetime) -> Outcome:
        callback = self.world.callbacks.get(command.callback_id)
        if callback is None:
            return Outcome(refused("not_found", "没有该回访或已办结", "There is no such open callback"))
        ruling = self.diallings.place(callback, now, command.by)
        return Outcome(ruling, _view(self.world.callbacks[command.callback_id]))


def _view(callback: Callback, joined: bool = False) -> dict[str, object]:
    return {
        "callback_id": callback.callback_id,
        "joined": joined,
        "agent": callback.agent,
        "state": callback.state,
        "due_at": callback.due_at.isoformat() if callback.due_at else None,
        "attempts": len(callback.diallings),
    }


def _unknown_agent() -> Ruling:
    return refused("unknown_agent", "没有该工号的话务员", "There is no agent with this number")
