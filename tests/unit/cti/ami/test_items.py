"""List items to types."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cti.ami.items import ChannelItem, EntryItem, MemberItem, parse_item

MEMBER = {
    "Event": "QueueMember", "Queue": "hotline", "Name": "测试坐席一", "Location": "Local/1", "LastCall": "0",
    "LoginTime": "1795284828", "InCall": "1", "Status": "2", "Paused": "1", "PausedReason": "用餐", "Wrapuptime": "5",
}  # fmt: skip
ENTRY = {
    "Event": "QueueEntry", "Queue": "hotline", "Position": "2", "Uniqueid": "1.1", "CallerIDNum": "unknown", "Wait": "9"
}  # fmt: skip
CHANNEL = {
    "Event": "CoreShowChannel", "Channel": "Local/1", "Uniqueid": "1.1", "Linkedid": "1.0", "CallerIDNum": "<unknown>",
    "Context": "cti-hotline", "Application": "Queue", "BridgeId": "", "Duration": "101:02:03",
}  # fmt: skip


def test_member() -> None:
    """A member is read with its pause and its times."""
    member = parse_item(MEMBER)
    assert member == MemberItem(
        "hotline", "测试坐席一", "Local/1", 2, True, "用餐", True, None,
        datetime(2026, 11, 21, 18, 13, 48, tzinfo=UTC), 5,
    )  # fmt: skip


def test_withheld_number_is_empty() -> None:
    """Both of Asterisk's ways to say that no number is shown."""
    assert parse_item(ENTRY) == EntryItem("hotline", 2, "1.1", "", 9)
    channel = parse_item(CHANNEL)
    assert isinstance(channel, ChannelItem)
    assert channel.caller_id_num == ""


def test_duration_beyond_a_day() -> None:
    """Hours are not cut at 24."""
    channel = parse_item(CHANNEL)
    assert isinstance(channel, ChannelItem)
    assert channel.duration == 101 * 3600 + 2 * 60 + 3


@pytest.mark.parametrize("item", [MEMBER, ENTRY, CHANNEL])
def test_damage_names_no_value(item: dict[str, str]) -> None:
    """A missing or unreadable header is refused without repeating what a caller sent."""
    for header in set(item) - {"Event"}:
        with pytest.raises(ValueError, match=f"header {header} is missing"):
            parse_item({name: value for name, value in item.items() if name != header})
    for header in {"Position", "Wait", "Status", "Duration"} & set(item):
        with pytest.raises(ValueError, match=r"cannot be read$"):
            parse_item({**item, header: "secret"})


def test_other_items_are_none() -> None:
    """A list may hold items that nobody here reads."""
    assert parse_item({"Event": "QueueStatusComplete"}) is None
