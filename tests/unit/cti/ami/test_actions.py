"""The encoder is the wall between what people type and what Asterisk reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.ami.actions import (
    MAX_LINE,
    Action,
    ActionError,
    Hangup,
    Login,
    Originate,
    QueueAdd,
    QueuePause,
    QueueRemove,
    QueueStatus,
    encode,
)

CONTROL = [*range(0x20), 0x7F]
SEAT = "Local/3001@lab-seats/n"


def originate(**changes: object) -> Originate:
    fields = {"channel": "Local/1@x", "context": "cti-callback", "exten": "13800000001", "channel_id": "cti-1"}
    return Originate(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("byte", CONTROL)
def test_every_control_byte_is_refused_everywhere(byte: int) -> None:
    """CR, LF, NUL and every other control byte, in any value of any action; the error names the field."""
    bad = f"a{chr(byte)}b"
    actions: list[tuple[Action, str]] = [
        (QueueAdd(bad, SEAT, "n"), "Queue"),
        (QueueAdd("hotline", bad, "n"), "Interface"),
        (QueueAdd("hotline", SEAT, bad), "MemberName"),
        (QueueAdd("hotline", SEAT, "n", state_interface=bad), "StateInterface"),
        (QueueAdd("hotline", SEAT, "n", reason=bad), "Reason"),
        (QueuePause(SEAT, True, reason=bad), "Reason"),
        (QueueRemove("hotline", bad), "Interface"),
        (QueueStatus(bad), "Queue"),
        (Hangup(bad), "Channel"),
        (Login(bad, "s"), "Username"),
        (originate(channel=bad), "Channel"),
        (originate(context=bad), "Context"),
        (originate(variables={"X": bad}), "Variable"),
        (originate(exten=bad), "exten"),
        (originate(caller_id=bad), "caller_id"),
        (originate(channel_id=bad), "channel_id"),
        (originate(variables={bad: "1"}), "variables"),
    ]
    for action, field in actions:
        with pytest.raises(ActionError) as caught:
            encode(action, "1")
        assert caught.value.field == field
    with pytest.raises(ActionError):
        encode(QueueStatus(), bad)


@given(st.text(max_size=200))
def test_one_value_is_one_line(reason: str) -> None:
    """Whatever the reason, either it is refused or it is exactly one header of exactly one action."""
    try:
        data = encode(QueuePause(SEAT, True, reason=reason), "1")
    except ActionError:
        return
    assert data.count(b"\r\n\r\n") == 1
    assert data.endswith(b"\r\n\r\n")
    lines = data[:-4].split(b"\r\n")
    assert len(lines) == (5 if reason else 4)
    if reason:
        assert lines[4] == b"Reason: " + reason.encode("utf-8", "surrogateescape")


def test_chinese_is_utf8() -> None:
    """A reason in Chinese goes out as UTF-8."""
    assert "Reason: 用餐\r\n".encode() in encode(QueuePause(SEAT, True, reason="用餐"), "1")


@pytest.mark.parametrize("value", ["1,W=2", "a\\,b", 'a"b'])
def test_a_variable_sets_one_variable(value: str) -> None:
    """A bare comma would set a second variable (measured); quotes and backslashes are read by the same parser."""
    with pytest.raises(ActionError, match="another variable"):
        encode(originate(variables={"X": value}), "1")


@pytest.mark.parametrize("name", ["DB(a/b)", "SHELL(id)", "X=1", "1X", "", "X Y"])
def test_a_variable_is_no_function(name: str) -> None:
    """``DB(a/b)=1`` would write Asterisk's database (measured)."""
    with pytest.raises(ActionError):
        encode(originate(variables={name: "1"}), "1")


@pytest.mark.parametrize("exten", ["", "1&PJSIP/9", "1@other", "1/n", "1,2", "1 2", "１２３", "1" * 41])
def test_one_extension_only(exten: str) -> None:
    """The dialled extension cannot become a second channel, another context or an option."""
    with pytest.raises(ActionError) as caught:
        encode(originate(exten=exten), "1")
    assert caught.value.field == "exten"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"channel": "Local/1@x&Local/2@x"}, "channel"),
        ({"caller_id": "x <1>"}, "caller_id"),
        ({"caller_id": "1" * 21}, "caller_id"),
        ({"channel_id": "a/b"}, "channel_id"),
        ({"channel_id": ""}, "channel_id"),
        ({"other_channel_id": "a/b"}, "other_channel_id"),
        ({"timeout_ms": 0}, "timeout_ms"),
        ({"timeout_ms": 600_001}, "timeout_ms"),
    ],
)
def test_originate_refuses(changes: dict[str, object], field: str) -> None:
    """Each bound of an Originate is held, and the error names the field without its value."""
    with pytest.raises(ActionError) as caught:
        encode(originate(**changes), "1")
    assert caught.value.field == field


def test_originate_is_asynchronous() -> None:
    """A synchronous Originate would hold up the whole session until the phone is answered."""
    lines = encode(originate(variables={"A": "1", "B": "2"}), "7").decode().split("\r\n")
    assert lines[:2] == ["Action: Originate", "ActionID: 7"]
    assert {"Async: true", "Priority: 1", "ChannelId: cti-1", "Variable: A=1", "Variable: B=2"} <= set(lines)


def test_pattern_hangup_is_refused() -> None:
    """``/.*/`` would hang up every call."""
    with pytest.raises(ActionError):
        encode(Hangup("/.*/"), "1")


def test_line_and_header_limits() -> None:
    """Asterisk refuses a line of 1,025 bytes and the 129th header; so we refuse them first."""
    fits = MAX_LINE - len("Reason: \r\n")
    assert encode(QueuePause(SEAT, True, reason="x" * fits), "1")
    with pytest.raises(ActionError, match="1024"):
        encode(QueuePause(SEAT, True, reason="x" * (fits + 1)), "1")
    own = len(encode(originate(), "1").split(b"\r\n")) - 2
    assert encode(originate(variables={f"V{n}": "1" for n in range(128 - own)}), "1")
    with pytest.raises(ActionError, match="129 headers"):
        encode(originate(variables={f"V{n}": "1" for n in range(129 - own)}), "1")


def test_secrets_are_not_printed() -> None:
    """The secret is in no repr, so in no log."""
    assert "hunter2" not in repr(Login("cti", "hunter2"))
