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
RELIEF = (  # the crew of the next shift; each takes over the seat of the agent beside whom he stands in the list
    DemoAgent("1005", "测试话务员戊", "1001"),
    DemoAgent("1006", "测试话务员己", "1002"),
    DemoAgent("1007", "测试话务员庚", "1003"),
    DemoAgent("1008", "测试话务员辛", "6004"),
)
SEAT_OF = {agent.number: agent.seat for agent in AGENTS}
LEAD = "2001"
ROLES = {"agent": "话务员 agent", "lead": "值班长 lead", "admin": "管理员 admin", "auditor": "督查员 auditor"}


def cast() -> list[LabPerson]:
    """Everybody, each with a PIN of this run alone."""
    return [
        *(LabPerson(agent.number, agent.name, "agent", _pin()) for agent in (*AGENTS, *RELIEF)),
        LabPerson(LEAD, "测试值班长", "lead", _pin()),
        LabPerson("9001", "测试管理员", "admin", _pin()),
        LabPerson("9101", "测试督查员", "auditor", _pin()),
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
    relief = next(person for person in people if person.number == RELIEF[0].number)
    lines.append(f"  {'接班 relief':<16} 工号 number {relief.number}   密码 PIN {relief.pin}")
    lines += [
        "",
        "  本班次35分钟后结束：5分钟后值班台上出现交接单。",
        "  This shift ends in 35 minutes: in 5, its handover is on the lead's desk.",
    ]
    if not auto:
        seat = SEAT_OF[visitor.number]
        lines += [
            "",
            f"  {visitor.number} 号请在页面上签入席位 {seat}；其余三席已签入，市民正在来电。",
            f"  Sign {visitor.number} in at seat {seat}; the other three take calls already.",
        ]
    return "\n".join([*lines, "", "  Ctrl-C 结束 ends it", ""])
