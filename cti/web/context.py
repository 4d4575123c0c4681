"""What the routes share, and who is asking."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from sqlalchemy import select

from cti.clock import Clock
from cti.commands import Command, Outcome
from cti.settings import Settings
from cti.store.db import Store
from cti.store.people import Person, Pins, Role
from cti.store.tables import people, sessions
from cti.store.ticket_reads import Rules
from cti.web.feed import BoardFeed
from cti.web.ports import EnginePort
from cti.web.problems import Problem, Refused
from cti.web.throttle import LoginThrottle, Rate
from queues.dialgate import RATES
from regulations import Profile, Ruling

COOKIE = "cti_session"
CALLBACKS_A_MINUTE = 20
ASKED_A_MINUTE = 60  # by one token of another system


@dataclass(slots=True)
class Web:
    """The parts behind the routes."""

    engine: EnginePort
    store: Store
    settings: Settings
    clock: Clock
    tokens: Callable[[], str]
    pins: Pins
    build: str
    zone: ZoneInfo
    profile: Profile
    feed: BoardFeed = field(init=False)
    throttle: LoginThrottle = field(init=False)
    callback_rate: Rate = field(init=False)
    token_rate: Rate = field(init=False)
    streams: Counter[str] = field(default_factory=Counter)
    sinks_changed: Callable[[], None] = lambda: None
    """Told when a subscription was added, changed or ended."""
    closing: bool = False
    """Set when the server stops: open streams end, or it would wait for them."""

    def __post_init__(self) -> None:
        self.feed = BoardFeed(self.engine, self.clock)
        self.throttle = LoginThrottle(self.clock)
        self.callback_rate = Rate(self.clock, CALLBACKS_A_MINUTE, 60.0)
        self.token_rate = Rate(self.clock, ASKED_A_MINUTE, 60.0)

    def rules(self) -> Rules:
        """What a view of a ticket is made by, now."""
        return Rules(self.profile, self.zone, self.clock.now())

    async def do(self, command: Command) -> Outcome:
        """Submit *command*; a refusal ends the request with its problem document."""
        outcome = await self.engine.submit(command)
        if not outcome.ruling.allowed:
            raise Refused(outcome.ruling, self._retry_s(outcome.ruling))
        return outcome

    def one_more_ring(self, number: str) -> None:
        """Person *number* asks that somebody be rung: so many times a minute, whichever page it comes from.

        Raises:
            Problem: ``callback_rate``, with Retry-After.
        """
        wait_s = self.callback_rate.wait_s(number)
        if wait_s:
            raise Problem("callback_rate", headers={"Retry-After": str(wait_s)})

    def _retry_s(self, ruling: Ruling) -> int | None:
        if ruling.code not in RATES or ruling.allowed_at is None:
            return None
        return max(1, math.ceil((ruling.allowed_at - self.clock.now()).total_seconds()))


@dataclass(frozen=True, slots=True)
class Who:
    """The person behind a request's session."""

    person: Person
    token_hash: str

    @property
    def number(self) -> str:
        return self.person.number

    @property
    def leads(self) -> bool:
        """Whether callers' numbers and other agents' calls are open to this person."""
        return self.person.role in (Role.LEAD, Role.ADMIN)

    @property
    def sees_callers(self) -> bool:
        """Whether any caller's number may be shown to this person: not to an auditor."""
        return not self.audits

    @property
    def audits(self) -> bool:
        """Whether this person reads every agent's duty, and changes nothing (督查员)."""
        return self.person.role is Role.AUDITOR


def hash_token(token: str) -> str:
    """What is kept of a cookie's token."""
    return hashlib.sha256(token.encode()).hexdigest()


async def session_of(web: Web, token_hash: str) -> tuple[Person, datetime] | None:
    """The person and the end of a session that is still good, or None. Someone shut out has none."""
    async with web.store.read() as connection:
        found = await connection.execute(
            select(people.c.number, people.c.name, people.c.role, people.c.active, sessions.c.expires_at)
            .join(sessions, sessions.c.number == people.c.number)
            .where(sessions.c.token_hash == token_hash, sessions.c.expires_at > web.clock.now(), people.c.active)
        )
        row = found.one_or_none()
    return None if row is None else (Person(row.number, row.name, Role(row.role), row.active), row.expires_at)


def the_web(request: Request) -> Web:
    """The parts, from the application that serves this request."""
    web: Web = request.app.state.web
    return web


WebDep = Annotated[Web, Depends(the_web)]


async def anyone(request: Request, web: WebDep) -> Who:
    """Whoever is logged in."""
    token_hash = hash_token(request.cookies.get(COOKIE, ""))
    found = await session_of(web, token_hash)
    if found is None:
        raise Problem("not_logged_in")
    return Who(found[0], token_hash)


AnyoneDep = Annotated[Who, Depends(anyone)]


class Needs:
    """A dependency that lets only some roles in. The matrix of docs/roles.md is read from these."""

    def __init__(self, *roles: Role) -> None:
        self.roles = frozenset(roles)

    async def __call__(self, who: AnyoneDep) -> Who:
        """Whoever is logged in, if the role may.

        Raises:
            Problem: ``forbidden``.
        """
        if who.person.role not in self.roles:
            raise Problem("forbidden")
        return who


SeatedDep = Annotated[Who, Depends(Needs(Role.AGENT, Role.LEAD))]
"""Agents and leads: those who sit at a seat."""
CallerDep = Annotated[Who, Depends(Needs(Role.AGENT, Role.LEAD, Role.ADMIN))]
"""Those who may see callers: agents their own, leads and administrators all. Auditors see none."""
LeadDep = Annotated[Who, Depends(Needs(Role.LEAD))]
"""The shift lead (值班长): agrees, declines, rules on appeals, runs the handover."""
RosterDep = Annotated[Who, Depends(Needs(Role.LEAD, Role.ADMIN))]
"""Those who make the roster (HZ 第四十条: the lead)."""
LedgerDep = Annotated[Who, Depends(Needs(Role.LEAD, Role.ADMIN, Role.AUDITOR))]
"""Those who may read the ledgers of duty: requests, findings, handovers."""
AdminDep = Annotated[Who, Depends(Needs(Role.ADMIN))]
