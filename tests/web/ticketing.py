"""Answered calls and a unit for the tests of ticket stubs, on a site with the real engine."""

from __future__ import annotations

from cti.commands import GoReady
from cti.commands.directory import PutUnit
from tests.sim.missing import caller
from tests.web.duty import DutySite

UNIT = "pipes-east"
AREAS = {"hotline": {"areas": {"east": {"zh": "东区", "en": "East"}, "west": {"zh": "西区", "en": "West"}}}}


async def put_unit(site: DutySite) -> None:
    """One unit in the directory, for everything."""
    await site.ask(PutUnit("9001", UNIT, "东区管网", "Pipes east", "emergency", (), (), (("05300000001", "", ""),)))


async def answered(site: DutySite, agent: str, number: str, *, over: bool = True) -> str:
    """*number* rings and is answered by *agent*, and hangs up when it is to be *over*; the ticket."""
    before = set(site.engine.world.stubs)
    call = caller(site.pbx, number)
    site.pbx._ring(call, agent)
    site.pbx._connect(call)
    if over:
        site.pbx._complete(call)
    await site.ask(GoReady("1004"))  # taken behind what was heard before
    (ticket_id,) = set(site.engine.world.stubs) - before
    return ticket_id
