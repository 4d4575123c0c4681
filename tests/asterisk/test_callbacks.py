"""Callbacks on the real Asterisk: agent first, then the caller, recorded, once, and only when the rules allow it."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from tests.asterisk.conftest import Hotline, profile_at

pytestmark = pytest.mark.asterisk


def dialled(lab: LabAsterisk) -> list[tuple[str, str]]:
    """(ChannelId, number) of each caller's leg that Asterisk made, by its CEL."""
    cel = oracle.read_cel(lab.cel)
    return [
        (row.linkedid, row.exten)
        for row in cel
        if row.event == "CHAN_START" and row.context == "lab-citizens" and row.channel.endswith(";2")
    ]


@pytest.mark.parametrize(
    ("number", "outcome", "state"),
    [("13800000051", "reached", "reached"), ("13800000058", "busy", "due"), ("13800000059", "no_answer", "due")],
)
def test_an_attempt_is_dialled_once_and_its_outcome_known(
    lab: LabAsterisk, tmp_path: Path, number: str, outcome: str, state: str
) -> None:
    """CEL's legs with our ChannelId are the attempt rows; a reached one is recorded and closes the callback."""
    hotline = Hotline(lab, tmp_path / "service", callback={"agent_ring_s": 5, "ring_s": 3})
    lab.cli("dialplan set global CTI_RING_SECONDS 3")
    try:
        hotline.sign_in(a1001="3001")
        key = {"Idempotency_Key": "key-1"}
        body = {"number": number, "agent": "1001"}
        first = hotline.page("2001").ask("POST", "callbacks", body, **key)
        again = hotline.page("2001").ask("POST", "callbacks", body, **key)
        assert first.body["callback_id"] == again.body["callback_id"]
        done = "select outcome from attempts where ended_at is not null"
        hotline.until(lambda: hotline.rows(done) == [(outcome,)], 25)
        assert hotline.rows("select state from callbacks") == [(state,)]
        channel_id = hotline.rows("select channel_id from attempts")[0][0]
        assert dialled(lab) == [(channel_id, number)]
        refused = hotline.page("2001").ask("POST", f"callbacks/{first.body['callback_id']}/dial")
        assert refused.status == 409
        if outcome == "reached":
            hotline.until(lambda: hotline.rows("select state, call_id from recordings") == [("ok", channel_id)], 15)
        else:
            assert refused.body["code"] == "too_soon"
            assert refused.body["articles"][0]["article"] == "第十四条(九)"
        assert len(dialled(lab)) == 1
    finally:
        hotline.service.stop()


def test_at_night_nothing_is_dialled_and_the_refusal_names_the_article(lab: LabAsterisk, tmp_path: Path) -> None:
    """KL 第十四条(九): never in [21:00, 08:00). The request is kept for the morning; dialling now is refused."""
    hotline = Hotline(lab, tmp_path / "service", hotline={"profile": str(profile_at(23, tmp_path))})
    try:
        hotline.sign_in(a1001="3001")
        body = {"number": "13800000061", "agent": "1001"}
        asked = hotline.page("2001").ask("POST", "callbacks", body, Idempotency_Key="key-1")
        assert asked.status == 201
        assert "T" in asked.body["due_at"]
        refused = hotline.page("2001").ask("POST", f"callbacks/{asked.body['callback_id']}/dial")
        assert (refused.status, refused.body["code"]) == (409, "quiet_hours")
        assert datetime.fromisoformat(refused.body["allowed_at"]) == datetime.fromisoformat(asked.body["due_at"])
        assert refused.body["articles"][0]["wording"].startswith("原则上每日21:00至次日8:00")
        assert hotline.rows("select count(*) from attempts") == [(0,)]
        assert dialled(lab) == []
        for bad, field in (("0085212345678", "number"), ("95588", "number"), ("138\r\n0000", "number"), ("", "number")):
            wrong = {"number": bad, "agent": "1001"}
            answer = hotline.page("2001").ask("POST", "callbacks", wrong, Idempotency_Key="key-2")
            assert answer.status == 422
            assert field in str(answer.body)
    finally:
        hotline.service.stop()


def test_an_originate_that_comes_too_late_rings_no_caller(lab: LabAsterisk) -> None:
    """A frozen Asterisk carries an action out when it thaws: after CTI_NOT_AFTER the dialplan ends the attempt."""
    now = int(time.time())
    with Citizens.of(lab) as citizens:
        for number, variables in (
            ("13800000071", f"CTI_NOT_AFTER={now - 1}"),
            ("13800000072", "CTI_OTHER=1"),
            ("13800000073", f"CTI_NOT_AFTER={now + 60}"),
        ):
            citizens.ami.send(
                "Originate", Channel="Local/3001@lab-seats/n", Context="cti-callback", Exten=number, Priority="1",
                ChannelId=f"cticb-{now}.{number[-2:]}", Variable=variables, Async="true",
            )  # fmt: skip
        citizens.wait_for(lambda: bool(dialled(lab)), "the timely one to be dialled")
        citizens.clear()
    assert [number for _, number in dialled(lab)] == ["13800000073"]
