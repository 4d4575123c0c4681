"""Standard Webhooks 1.0.0: signature, payload, addresses; and when a sink is asked again."""

from __future__ import annotations

import base64
import ipaddress
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.bus import retries, webhooks
from cti.bus.cloudevents import KINDS
from cti.bus.outbox import Message
from cti.bus.posting import Poster
from cti.bus.retries import Health, Verdict
from cti.clock import VirtualClock
from cti.errors import BadInput
from cti.store.sinks import Sink

T = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
# Key, id, moment and body that the reference libraries of Standard Webhooks use in their own tests, and what they sign.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}'
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def message(kind: str, subject: str = "1795285585.1", **data: object) -> Message:
    return Message(7, T, kind, subject, "all", data)


def test_the_signature_is_the_reference_implementations() -> None:
    """HMAC-SHA256 over id.timestamp.body with the decoded secret; headers are named as the specification has them."""
    assert webhooks.headers([SECRET], ID, AT, BODY) == {
        "webhook-id": ID, "webhook-timestamp": "1614265330", "webhook-signature": SIGNED
    }  # fmt: skip


def test_after_a_rotation_both_secrets_sign_for_a_day() -> None:
    """Two signatures with a space between, the newest first; then one."""
    new = webhooks.new_secret(b"B" * 32)
    until = T + webhooks.BOTH_SIGN_FOR
    sink = Sink("w", "webhook", "oa", "https://x.example", ("alarm",), False, new, SECRET, until, 0, T)
    both = webhooks.signatures(sink.secrets(AT), ID, AT, BODY).split(" ")
    assert (len(both), both[1]) == (2, SIGNED)
    assert sink.secrets(until) == [new]
    assert 24 <= len(base64.b64decode(new.removeprefix("whsec_"))) <= 64


def test_the_payload_has_type_timestamp_and_data_and_no_number() -> None:
    """As recommended; keys that may not leave the house do not, whatever the message holds."""
    told = message("call.ended", ending="completed", talk_ms=65_000, caller="13800000071", closed=True)
    assert json.loads(webhooks.payload(told, None)) == {
        "type": "call.ended", "timestamp": "2026-11-21T09:00:00.000000Z", "subject": "1795285585.1",
        "data": {"ending": "completed", "talk_ms": 65_000},
    }  # fmt: skip
    assert json.loads(webhooks.payload(told, "13800000071"))["data"]["caller"] == "13800000071"
    assert "caller" not in json.loads(webhooks.payload(message("alarm", "pbx1", code="x"), "13800000071"))["data"]


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.text(max_size=20), st.text(max_size=400), max_size=30))
def test_a_payload_is_small_and_never_holds_a_number(kind: str, data: dict[str, str]) -> None:
    """Far below the 20 kB that the specification recommends, for whatever a message holds."""
    body = webhooks.payload(message(kind, "w-1", **{**data, "caller": "13800000071", "agent": "13800000071"}), None)
    assert len(body.encode()) < 2_000
    assert "13800000071" not in body


def test_a_tickets_opening_keeps_the_order_of_its_call() -> None:
    """Its subject is the ticket, its order the call's."""
    assert webhooks.order_of(message("ticket.opened", "t-1", call_id="1795285585.1")) == "1795285585.1"
    assert webhooks.order_of(message("call.queued")) == "1795285585.1"


@pytest.mark.parametrize(
    "url",
    [
        "https://oa.example.org/in?x=1", "http://127.0.0.1:8080/in", "http://localhost/in", "http://[::1]/in",
        "http://oa.lan/in", "https://10.0.0.9/in", "https://8.8.8.8/in",
    ],
)  # fmt: skip
def test_addresses_that_are_taken(url: str) -> None:
    """https, this machine, and what the site has named."""
    assert webhooks.taken_url(url, ["oa.lan", "10.0.0.9"]) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://oa.example.org/in", "ftp://oa.example.org", "https://", "", "https://user:x@oa.example.org/",
        "https://oa.example.org/#x", "https://10.0.0.8/in", "https://169.254.169.254/", "https://[fe80::1]/",
        "https://[::ffff:10.0.0.8]/", "https://0.0.0.0/", "https://oa.example.org/\r\nX: y", "https://热线.example/",
        "https://oa.example.org:99999/", "https://" + "a" * 500, "file:///etc/passwd", "https://[::1", "javascript:1",
    ],
)  # fmt: skip
def test_addresses_that_are_not(url: str) -> None:
    """Plain http elsewhere, a neighbour nobody named, a password, what is no address: the field is named."""
    with pytest.raises(BadInput) as error:
        webhooks.taken_url(url, ["oa.lan"])
    assert error.value.field == "url"
    assert "user:x" not in str(error.value)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("127.0.0.1", False), ("10.1.2.3", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False),
        ("::1", False), ("fe80::1", False), ("fd00::1", False), ("::ffff:10.0.0.8", False), ("0.0.0.1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    """Nothing of this machine or its neighbours, in whatever form it is written."""
    assert webhooks.is_public(ipaddress.ip_address(address)) is public


async def test_a_name_that_leads_to_a_neighbour_is_not_asked() -> None:
    """Looked up when it is used, and one private address among several is enough."""

    async def lookup(_host: str, _port: int) -> list[str]:
        return ["8.8.8.8", "10.0.0.8"]

    poster = Poster(VirtualClock(T), lookup)
    reply = await poster.post("https://oa.example.org/in", b"{}", {}, frozenset())
    assert (reply.status, reply.trouble) == (None, "private_address")
    await poster.close()


async def test_no_redirect_is_followed_and_no_cookie_kept() -> None:
    """A sink that redirects is asked once, and what it sets is not sent back to it, nor piled up."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        away = {"location": "http://169.254.169.254/latest", "set-cookie": f"c{len(asked)}=1"}
        return httpx.Response(302, headers=away, stream=httpx.ByteStream(b"moved"))

    poster = Poster(VirtualClock(T))
    client = poster._client()
    client._transport = httpx.MockTransport(answer)
    for _ in range(2):
        assert (await poster.post("http://localhost/in", b"{}", {}, frozenset())).status == 302
    assert [str(request.url) for request in asked] == ["http://localhost/in"] * 2
    assert not any("cookie" in request.headers for request in asked)
    assert len(client.cookies) == 0
    await poster.close()


def test_kinds_are_those_that_are_told() -> None:
    """Each once; none, and unknown ones, are named."""
    assert webhooks.taken_kinds(["alarm", "call.ended", "alarm"]) == ["alarm", "call.ended"]
    for wrong in ([], ["call.everything"]):
        with pytest.raises(BadInput, match="kinds"):
            webhooks.taken_kinds(wrong)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.TAKEN), (299, Verdict.TAKEN), (301, Verdict.FAILED), (400, Verdict.FAILED), (500, Verdict.FAILED),
        (410, Verdict.GONE), (429, Verdict.AWAY), (502, Verdict.AWAY), (504, Verdict.AWAY), (None, Verdict.AWAY),
    ],
)  # fmt: skip
def test_what_an_answer_means(status: int | None, verdict: Verdict) -> None:
    """The specification's table of status codes."""
    assert retries.verdict_of(status) is verdict


def test_the_schedule_is_the_specifications_example() -> None:
    """Ten tries in 75 h 35 min and 5 s, then no more; each wait may differ by a quarter."""
    waits = [retries.next_try_s(n, 0.5) for n in range(1, 11)]
    assert waits[-1] is None
    assert timedelta(seconds=sum(w for w in waits if w)) == timedelta(hours=75, minutes=35, seconds=5)
    assert [retries.next_try_s(1, draw) for draw in (0.0, 1.0)] == [3.75, 6.25]


def test_pauses_of_a_sink_that_is_away_double_to_a_bound() -> None:
    """5, 10, 20 … seconds, not more than the bound; failures of what was under way then do not count again."""
    health, mono, pauses = Health(), 0.0, []
    for _ in range(9):
        health = retries.failed(health, Verdict.AWAY, mono, 300.0, 0.5)
        assert retries.failed(health, Verdict.AWAY, mono, 300.0, 0.5).until == health.until
        pauses.append(health.until - mono)
        mono = health.until
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_one_refused_message_is_not_a_sink_that_is_away() -> None:
    """Two refusals in a row say nothing of the sink; the third does."""
    health = Health()
    for expected in (True, True, False):
        health = retries.failed(health, Verdict.FAILED, 0.0, 60.0, 0.5)
        assert health.well is expected


@pytest.mark.parametrize(("asked", "waits"), [(600.0, 600.0), (1.0, 5.0), (10.0**9, 6 * 3600.0), (None, 5.0)])
def test_retry_after_is_honoured_within_reason(asked: float | None, waits: float) -> None:
    """Never sooner than our own pause, never longer than six hours."""
    assert retries.failed(Health(), Verdict.AWAY, 0.0, 60.0, 0.5, asked).until == waits


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120.0), ("Sat, 21 Nov 2026 09:01:00 GMT", 60.0), ("Sat, 21 Nov 2026 08:00:00 GMT", 0.0), ("soon", None),
     ("", None), ("-5", None), ("²", None)],
)  # fmt: skip
def test_both_forms_of_retry_after_are_read(value: str, seconds: float | None) -> None:
    """Seconds, or a date; what is neither is no wish."""
    assert Poster(VirtualClock(T))._retry_after(value) == seconds
