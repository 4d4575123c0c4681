"""Who may say something of a ticket stub, and what may be said."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace

from queues.kinds import CALLER_KINDS, COMPLAINT_GRADES, GRADES, KINDS
from queues.stubs import Stub
from regulations import Ruling, allowed, refused

MOST_NOTES = 2000  # characters
MOST_STUBS = 9  # of one call: more is a slip of the finger
CHOICES: dict[str, Container[str]] = {
    "kind": KINDS, "caller_kind": CALLER_KINDS, "complaint_grade": COMPLAINT_GRADES, "grade": GRADES,
}  # fmt: skip
NEVER_EMPTY = ("caller_kind",)


def wrong_field(values: Mapping[str, str | None], areas: Container[str]) -> str | None:
    """The first of *values* that cannot be said of a stub, by its name; None when all can."""
    choices = {**CHOICES, "area": areas}
    for name, value in values.items():
        if name not in choices or (value is None and name in NEVER_EMPTY):
            return name
        if value is not None and value not in choices[name]:
            return name
    return None


def said(stub: Stub, values: Mapping[str, str | None]) -> Stub:
    """The stub with *values*; a matter that is no complaint has no grade of complaint."""
    changed = replace(stub, **values)  # type: ignore[arg-type]
    return changed if changed.kind == "complaint" else replace(changed, complaint_grade=None)


def may_change(stub: Stub, by: str, owner: str | None, lead: bool) -> Ruling:
    """The first agent, whoever owns the ticket now, or a lead."""
    if lead or by in (stub.agent, owner):
        return allowed()
    return refused("not_your_ticket", "该工单不归您办理", "The ticket is not yours")


def may_save(stub: Stub, text: str, version: int) -> Ruling:
    """An older save never replaces a newer one; the same text saved twice is no conflict."""
    if version > stub.notes_version or (version == stub.notes_version and text == stub.notes):
        return allowed()
    return refused(
        "notes_newer",
        f"已有较新的记录（第{stub.notes_version}版）",
        f"Newer notes are kept (version {stub.notes_version})",
    )


def may_add(ordinal: int) -> Ruling:
    """Whether one more stub of the same call may be opened; *ordinal* is the one that it would get."""
    if ordinal > MOST_STUBS:
        return refused("too_many_stubs", f"同一来电最多{MOST_STUBS}张工单", f"{MOST_STUBS} stubs of one call at most")
    return allowed()


def may_take(stub: Stub) -> Ruling:
    """Only what nobody has."""
    if stub.agent:
        return refused("ticket_taken", f"已由{stub.agent}号话务员受理", f"Agent {stub.agent} has it")
    return allowed()


def further(stub: Stub, ticket_id: str, ordinal: int, key: str) -> Stub:
    """One more matter of the same call: what is known of the caller goes with it, the rest begins anew."""
    return Stub(
        ticket_id, stub.agent, stub.opened_at, stub.call_id, ordinal, stub.channel, stub.caller, area=stub.area,
        caller_kind=stub.caller_kind, verified=stub.verified, verified_by=stub.verified_by,
        verified_at=stub.verified_at, request_key=key,
    )  # fmt: skip
