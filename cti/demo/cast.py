"""Who plays in the demo, and what is printed for the visitor. Names and numbers are obviously false."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from cti.lab.service import LabPerson


class DemoAgent(NamedTuple):
    """An agent and the lab seat that plays his phone."""

    number: str
    name: str
    seat: str


AGENTS = (
    DemoAgent("1001", "测试话务员甲", "1001"),
    DemoAgent("1002", "测试话务员乙", "1002"),
    DemoAgent("1003", "测试话务员丙", "1003"),
    DemoAgent("1004", "测试话务员丁", "6004"),  # one time in four nobody picks up there
)
SEAT_OF = {agent.number: agent.seat for agent in AGENTS}
ROLES = {"agent": "话务员 agent", "lead": "值班长 lead", "admin": "管理员 admin"}


def cast() -> list[LabPerson]:
    """Everybody, each with a PIN of this run alone."""
    return [
        *(LabPerson(agent.number, agent.name, "agent", _pin()) for agent in AGENTS),
        LabPerson("2001", "测试值班长", "lead", _pin()),
        LabPerson("9001", "测试管理员", "admin", _pin()),
    ]


def _pin() -> str:
    """Six digits, not all the same."""
    pin = f"{secrets.randbelow(10**6):06d}"
    return pin if len(set(pin)) > 1 else _pin()


def playbill(url: str, people: list[LabPerson], auto: bool) -> str:
    """The page's address and one login for each role."""
    shown = {person.role: person for person in reversed(people)}
    lines = ["", f"  打开 Open   {url}", ""]
    lines += [f"  {ROLES[role]:<16} 工号 number {shown[role].number}   密码 PIN {shown[role].pin}" for role in ROLES]
    visitor = shown["agent"]
    if not auto:
        seat = SEAT_OF[visitor.number]
        lines += [
            "",
            f"  {visitor.number} 号请在页面上签入席位 {seat}；其余三席已签入，市民正在来电。",
            f"  Sign {visitor.number} in at seat {seat}; the other three take calls already.",
        ]
    return "\n".join([*lines, "", "  Ctrl-C 结束 ends it", ""])
