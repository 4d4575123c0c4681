"""Administration of people: adding, giving roles, shutting out; a shut-out person's pages end within seconds."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from cti.commands import PeopleChanged, SignOut
from cti.store.people import Person, add_person, everybody, set_active, set_role
from cti.web.context import AdminDep, WebDep
from cti.web.problems import Problem

router = APIRouter(prefix="/people", tags=["people"])


class NewPerson(BaseModel):
    """A person to add. The role is ``agent``, ``lead``, ``admin`` or ``auditor``."""

    model_config = ConfigDict(extra="forbid")

    number: str
    name: str
    role: str
    pin: str


class Active(BaseModel):
    """Whether the person may log in."""

    model_config = ConfigDict(extra="forbid")

    active: bool


class RoleGiven(BaseModel):
    """What the person is here for: ``agent``, ``lead``, ``admin`` or ``auditor``."""

    model_config = ConfigDict(extra="forbid")

    role: str


@router.get("")
async def listed(_who: AdminDep, web: WebDep) -> list[Person]:
    """Everybody."""
    async with web.store.read() as connection:
        return await everybody(connection)


@router.post("", status_code=201)
async def add(body: NewPerson, _who: AdminDep, web: WebDep) -> Person:
    """Add a person."""
    person = await add_person(web.store, web.pins, body.number, body.name, body.role, body.pin)
    await web.engine.submit(PeopleChanged(person.number))
    return person


@router.put("/{number}/active", status_code=204)
async def let_in_or_shut_out(number: str, body: Active, who: AdminDep, web: WebDep) -> None:
    """Shut a person out, or let them in again. Nobody shuts himself out: the last admin could not come back."""
    if number == who.number:
        raise Problem("forbidden")
    await set_active(web.store, number, body.active)
    await web.engine.submit(PeopleChanged(number))
    if not body.active:
        # Their seat's phone must not ring on. During a call it is refused, and the call goes to its end.
        await web.engine.submit(SignOut(number, who.number))


@router.put("/{number}/role", status_code=204)
async def give_role(number: str, body: RoleGiven, who: AdminDep, web: WebDep) -> None:
    """Give a person another role; they log in anew, and sign in anew. Nobody gives himself a role."""
    if number == who.number:
        raise Problem("forbidden")
    await set_role(web.store, number, body.role)
    await web.engine.submit(PeopleChanged(number))
    # A seat held in the former role would be one that nobody can sign out of. A call goes to its end.
    await web.engine.submit(SignOut(number, who.number))
