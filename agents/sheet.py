"""The handover sheet (交接单): matters handed over one by one, taken or disputed, and signed by both.

HZ 第三十条: what is missing is the outgoing agent's fault, what was taken wrongly the incoming agent's. So every act is
kept with its hand and its time, the outgoing agent closes the list by signing first, and nobody signs for another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from agents.handover import Pair
from regulations import Article, Ruling, allowed, refused


class ItemKind(StrEnum):
    """What is handed over."""

    TICKET = "ticket"  # 未办结工单
    CALLBACK = "callback"  # 待回访
    REQUEST = "request"  # 待批请示
    NOTE = "note"  # 备注
    EQUIPMENT = "equipment"  # 设备故障


class ItemState(StrEnum):
    """What became of an item."""

    OPEN = "open"  # 待确认
    TAKEN = "taken"  # 已接收
    DISPUTED = "disputed"  # 有异议
    KEPT = "kept"  # 退回交班人: the lead ruled that it stays with the outgoing agent
    ORDERED = "ordered"  # 责成接收: the lead ruled that it is taken
    DONE = "done"  # 已办结: it ended by itself before anybody decided


UNSETTLED = (ItemState.OPEN, ItemState.DISPUTED)
MOVED = (ItemState.TAKEN, ItemState.ORDERED)
"""States in which the matter is the incoming agent's."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the sheet of ``outgoing``. ``subject`` is the ticket's, callback's or request's id. Aware UTC."""

    item_id: str
    handover_id: str
    outgoing: str
    kind: ItemKind
    subject: str | None
    text: str
    added_by: str | None
    added_at: datetime
    state: ItemState = ItemState.OPEN
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""
    settled_by: str | None = None
    settled_at: datetime | None = None
    settled_reason: str = ""


def settled(items: Iterable[Item]) -> bool:
    """Whether every item has been taken, ruled on, or has ended."""
    return all(item.state not in UNSETTLED for item in items)


def may_add(pair: Pair, by: str, *, leads: bool, article: Article | None) -> Ruling:
    """The outgoing agent and a lead write on the sheet, until the outgoing agent has signed it."""
    if by != pair.outgoing and not leads:
        return _not_yours(article)
    if pair.out_signed_at is not None or pair.left_at is not None:
        return refused(
            "sheet_signed", "交班人已签字，不能再加", "The outgoing agent has signed: nothing is added", *_c(article)
        )
    return allowed(*_c(article))


def may_take(pair: Pair, item: Item, number: str, article: Article | None) -> Ruling:
    """The incoming agent takes what is open, or what he disputed and thinks better of."""
    return _may_decide(pair, item, number, UNSETTLED, article)


def may_dispute(pair: Pair, item: Item, number: str, article: Article | None) -> Ruling:
    """The incoming agent disputes what is open; what he took is his."""
    return _may_decide(pair, item, number, (ItemState.OPEN,), article)


def _may_decide(pair: Pair, item: Item, number: str, states: tuple[ItemState, ...], article: Article | None) -> Ruling:
    if number != pair.incoming:
        return _not_yours(article)
    if item.state not in states:
        return refused("item_decided", "该事项已处理", f"The item is {item.state.value} already", *_c(article))
    return allowed(*_c(article))


def may_settle(pair: Pair, item: Item, by: str, article: Article | None) -> Ruling:
    """A lead rules on what is disputed, but not in a matter of his own."""
    if by in (pair.outgoing, pair.incoming):
        return refused("own_matter", "不得裁定本人的交接事项", "Nobody rules on a matter of their own", *_c(article))
    if item.state is not ItemState.DISPUTED:
        return refused("not_disputed", "该事项没有异议", "The item is not disputed", *_c(article))
    return allowed(*_c(article))


def may_sign(pair: Pair, items: Iterable[Item], number: str, article: Article | None) -> Ruling:
    """The outgoing agent signs first, the incoming agent when every item is settled (确认无误再接班)."""
    if number not in (pair.outgoing, pair.incoming):
        return _not_yours(article)
    if (pair.out_signed_at if number == pair.outgoing else pair.in_signed_at) is not None:
        return refused("signed_already", "您已签字", "You have signed already", *_c(article))
    if number == pair.incoming and pair.out_signed_at is None:
        return refused("outgoing_first", "交班人尚未签字", "The outgoing agent signs first", *_c(article))
    if number == pair.incoming and not settled(items):
        return refused("items_open", "还有事项未逐一确认", "Some items are not taken or settled yet", *_c(article))
    return allowed(*_c(article))


def signed(pair: Pair, number: str, now: datetime) -> Pair:
    """The sheet with this agent's signature."""
    if number == pair.outgoing:
        return replace(pair, out_signed_at=now)
    return replace(pair, in_signed_at=now)


def taken(item: Item, by: str, now: datetime) -> Item:
    """The incoming agent has it now; an earlier dispute is withdrawn, its reason stays to be read."""
    return replace(item, state=ItemState.TAKEN, decided_by=by, decided_at=now)


def disputed(item: Item, by: str, reason: str, now: datetime) -> Item:
    """The incoming agent does not take it, for *reason*."""
    return replace(item, state=ItemState.DISPUTED, decided_by=by, decided_at=now, reason=reason)


def ruled(item: Item, by: str, *, ordered: bool, reason: str, now: datetime) -> Item:
    """The lead's word: taken all the same, or it stays with the outgoing agent."""
    state = ItemState.ORDERED if ordered else ItemState.KEPT
    return replace(item, state=state, settled_by=by, settled_at=now, settled_reason=reason)


def _not_yours(article: Article | None) -> Ruling:
    return refused(
        "not_your_sheet", "不是您的交接单，不得代办代签", "Not your sheet: nobody acts for another", *_c(article)
    )


def _c(article: Article | None) -> tuple[Article, ...]:
    return () if article is None else (article,)
