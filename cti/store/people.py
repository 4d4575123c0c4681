"""People: work number (工号), name, role, PIN. The PIN is the same on the page and on the phone, kept as argon2id."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import BadInput, NotFound
from cti.store.db import Statements, Store
from cti.store.tables import people, sessions

AT_ONCE = 2  # one check costs about 0.13 s of a core and 64 MiB, and a whole shift logs in together
NUMBER = re.compile(r"[0-9]{2,8}")
PIN = re.compile(r"[0-9]{6,12}")
LONGEST_NAME = 64


class Role(StrEnum):
    """What a person is here for."""

    AGENT = "agent"  # 话务员
    LEAD = "lead"  # 值班长
    ADMIN = "admin"  # 管理员
    AUDITOR = "auditor"  # 督查员: reads the ledgers, changes nothing


@dataclass(frozen=True, slots=True)
class Person:
    """One person; the PIN's hash stays in the store."""

    number: str
    name: str
    role: Role
    active: bool


class Pins:
    """Hashes and checks PINs in threads, few at a time. An unknown person costs as long as a wrong PIN."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._few = asyncio.Semaphore(AT_ONCE)
        self._decoy: str | None = None

    async def hash(self, pin: str) -> str:
        """argon2id of *pin*."""
        async with self._few:
            return await asyncio.to_thread(self._hasher.hash, pin)

    async def matches(self, kept: str | None, pin: str) -> bool:
        """Whether *pin* is the one that *kept* was made of; None stands for a person who does not exist."""
        if self._decoy is None:
            self._decoy = await self.hash("no such person")
        async with self._few:
            return await asyncio.to_thread(self._verify, kept or self._decoy, pin) and kept is not None

    def _verify(self, kept: str, pin: str) -> bool:
        try:
            return self._hasher.verify(kept, pin)
        except VerifyMismatchError:
            return False


def check_number(number: str) -> None:
    """Raises BadInput unless *number* is a work number: 2 to 8 digits."""
    if not NUMBER.fullmatch(number):
        raise BadInput("number", "2 to 8 digits are needed (工号为2至8位数字)")


def check_new_pin(number: str, pin: str) -> None:
    """Raises BadInput unless *pin* is 6 to 12 digits, not all the same, and not the work number."""
    if not PIN.fullmatch(pin):
        raise BadInput("pin", "6 to 12 digits are needed, to be typed on a phone too (密码为6至12位数字)")
    if len(set(pin)) == 1 or pin == number:
        raise BadInput("pin", "too easy to guess: all the same digit, or the work number (密码过于简单)")


def check_name(name: str) -> None:
    """Raises BadInput unless *name* is 1 to 64 printable characters."""
    printable = all(unicodedata.category(character)[0] != "C" for character in name)
    if not (name.strip() and len(name) <= LONGEST_NAME and printable):
        raise BadInput("name", f"1 to {LONGEST_NAME} printable characters are needed (姓名为1至{LONGEST_NAME}个字符)")


def check_role(role: str) -> None:
    """Raises BadInput unless *role* is one of ``Role``."""
    if role not in set(Role):
        raise BadInput("role", f"one of {', '.join(Role)} is needed (角色无效)")


async def add_person(store: Store, pins: Pins, number: str, name: str, role: str, pin: str) -> Person:
    """Add a person who may log in from now on.

    Raises:
        BadInput: naming ``number``, ``name``, ``role`` or ``pin``; also for a number that is taken.
    """
    check_number(number)
    check_name(name)
    check_new_pin(number, pin)
    check_role(role)
    row = {"number": number, "name": name.strip(), "role": role, "pin_hash": await pins.hash(pin), "active": True}

    async def work(connection: Statements) -> None:
        await connection.execute(insert(people).values(row))

    try:
        await store.write(work)
    except IntegrityError as error:
        raise BadInput("number", "this work number is taken (工号已存在)") from error
    return Person(number, name.strip(), Role(role), True)


async def check_pin(store: Store, pins: Pins, number: str, pin: str) -> Person | None:
    """The active person with this number and PIN, or None; the time taken tells nothing of which was wrong."""
    async with store.read() as connection:
        row = (await connection.execute(select(people).where(people.c.number == number))).one_or_none()
    right = await pins.matches(None if row is None else row.pin_hash, pin)
    if row is None or not right or not row.active:
        return None
    return Person(row.number, row.name, Role(row.role), row.active)


async def set_active(store: Store, number: str, active: bool) -> None:
    """Let a person in again, or shut them out: their sessions end with the same commit.

    Raises:
        NotFound: when nobody has this number.
    """

    async def work(connection: Statements) -> int:
        if not active:
            await connection.execute(delete(sessions).where(sessions.c.number == number))
        done = await connection.execute(update(people).where(people.c.number == number).values(active=active))
        return done.rowcount

    if not await store.write(work):
        raise NotFound("number: nobody has this work number")


async def set_role(store: Store, number: str, role: str) -> None:
    """Give a person another role: their sessions, which were opened in the former one, end with the same commit.

    Raises:
        BadInput: naming ``role``.
        NotFound: when nobody has this number.
    """
    check_role(role)

    async def work(connection: Statements) -> int:
        await connection.execute(delete(sessions).where(sessions.c.number == number))
        done = await connection.execute(update(people).where(people.c.number == number).values(role=role))
        return done.rowcount

    if not await store.write(work):
        raise NotFound("number: nobody has this work number")


async def everybody(connection: AsyncConnection) -> list[Person]:
    """All people, by number."""
    rows = await connection.execute(select(people).order_by(people.c.number))
    return [Person(row.number, row.name, Role(row.role), row.active) for row in rows]
