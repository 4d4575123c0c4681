"""Which role may use which route, read from the dependencies that the routes declare (docs/roles.md).

A route that declares no role and is not meant for everybody does not pass: a new one cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from cti.store.people import Role
from cti.web.app import routed
from cti.web.context import Needs, anyone
from cti.web.guard import SAFE, SIGNATURE
from cti.web.pages import PAGES
from cti.web.tokens import NeedsToken
from cti.web.zammad import signed

DOCUMENT = Path("docs/roles.md")
OPEN = {
    ("GET", "/"), ("GET", "/static"), *(("GET", page) for page in PAGES),
    ("GET", "/api/v1/openapi.json"), ("GET", "/api/v1/health"), ("POST", "/api/v1/session"),
}  # fmt: skip
"""What needs no login: the pages' files, which hold no data; the health word; logging in."""

_NAMES = {
    Role.AGENT: "话务员 agent", Role.LEAD: "值班长 lead", Role.ADMIN: "管理员 admin", Role.AUDITOR: "督查员 auditor"
}  # fmt: skip


class RolesUnknown(Exception):
    """A route whose roles cannot be read; the message names it."""


@dataclass(frozen=True, slots=True)
class Access:
    """One method of one route, and whom it lets in."""

    method: str
    path: str
    roles: frozenset[Role]
    login: bool
    scope: str = ""
    """Of the tokens of other systems that it lets in instead of people, or the header of the signature that it asks
    for; neither is a login."""

    @property
    def changes(self) -> bool:
        """Whether it may change anything."""
        return self.method not in SAFE


def matrix(app: FastAPI) -> list[Access]:
    """Every route of *app*, in the order in which they are asked.

    Raises:
        RolesUnknown: a route declares no role and is not among ``OPEN``, or is of a kind without dependencies.
    """
    found: list[Access] = []
    for context in iter_route_contexts(app.routes):
        path, methods = context.path or "", context.methods
        if isinstance(context.route, Mount):
            methods = {"GET"}
        if not path or not methods:
            raise RolesUnknown(f"{context.route!r}: its roles cannot be read")
        dependant: Dependant | None = getattr(context, "dependant", None)
        found += [_access(method, path, dependant) for method in sorted(methods - {"HEAD"})]
    return found


def _access(method: str, path: str, dependant: Dependant | None) -> Access:
    calls = [] if dependant is None else list(_calls(dependant))
    scopes = [call.scope for call in calls if isinstance(call, NeedsToken)]
    if scopes:
        return Access(method, path, frozenset(), login=True, scope=scopes[0])
    if signed in calls:
        return Access(method, path, frozenset(), login=True, scope=SIGNATURE)
    if anyone not in calls:
        if (method, path) not in OPEN:
            raise RolesUnknown(
                f"{method} {path}: declares no role (cti/web/context.py), and is not meant for everybody"
            )
        return Access(method, path, frozenset(Role), login=False)
    roles = frozenset(Role)
    for call in calls:
        if isinstance(call, Needs):
            roles &= call.roles
    return Access(method, path, roles, login=True)


def _calls(dependant: Dependant) -> Iterator[object]:
    for below in dependant.dependencies:
        yield below.call
        yield from _calls(below)


def render(rows: Iterable[Access]) -> str:
    """docs/roles.md."""
    heads = ("未登录 nobody", *_NAMES.values(), "令牌 token")
    lines = [
        "# 角色与接口 Roles and routes\n",
        "Made by `cti roles` from the dependencies that the routes declare; a test holds it equal to them, and another",
        "asks every route as every role. ✓ is let in; whose ticket or callback it is, is asked after that.\n",
        f"| | Route | {' | '.join(heads)} |",
        f"|---|---|{':-:|' * len(heads)}",
    ]
    for row in sorted(rows, key=lambda row: (row.path, row.method)):
        marks = [not row.login, *(role in row.roles for role in _NAMES)]
        scope = f"`{row.scope}`" if row.scope else ""
        cells = [*("✓" if mark else "" for mark in marks), scope]
        lines.append(f"| {row.method} | `{row.path}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def shipped() -> str:
    """docs/roles.md for the routes of this version."""
    return render(matrix(routed()))
