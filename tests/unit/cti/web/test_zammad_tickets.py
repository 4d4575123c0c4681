"""Tickets that live in Zammad: the documented payload of its webhook makes what is owed, once; all else is refused."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from cti.errors import BadInput
from cti.settings import make_settings
from cti.store.owed_tables import owed_tickets
from cti.store.sinks_tables import replies
from cti.store.tables import tickets
from cti.web.zammad import Article, Customer, Group, ZammadTicket
from tests.web.duty import DutySite, duty_site

SECRET = "a-secret-of-the-tests"
CALLER = "13800000074"
PAYLOAD: dict[str, Any] = {
    "ticket": {
        "id": 81, "number": "10081", "title": "路灯不亮", "state": "closed", "state_id": 4, "article_count": 2,
        "customer": {"id": 8, "firstname": "测试", "lastname": "市民", "phone": "138 0000 0074", "active": True},
        "group": {"id": 3, "name": "路灯所", "active": True},
        "owner": {"id": 5, "login": "agent@example.org"}, "created_at": "2026-11-22T01:00:00.000Z",
    },
    "article": {
        "id": 104, "body": "已更换灯泡<div>现场<b>正常</b></div><script>alert(1)</script>", "content_type": "text/html",
        "sender": "Agent", "internal": False, "created_at": "2026-11-23T00:30:00.000Z",
    },
}  # fmt: skip
"""The documented shape: https://admin-docs.zammad.org/en/latest/manage/webhook/payload.html."""
READ = {
    "ticket": {"id", "number", "title", "state", "group", "customer"}, "ticket.group": {"name"},
    "ticket.customer": {"phone", "mobile"}, "article": {"id", "body", "content_type", "sender", "created_at"},
}  # fmt: skip


class Zammad:
    """Posts as Zammad does: its headers, and a signature over the very bytes."""

    def __init__(self, app: FastAPI) -> None:
        transport = httpx.ASGITransport(app, client=("10.0.0.8", 40000))
        self.client = httpx.AsyncClient(transport=transport, base_url="https://cti.test")

    async def tell(
        self,
        payload: Any,
        secret: str = SECRET,
        delivery: str = "d-1",
        raw: bytes | None = None,
        header: str | None = None,
    ) -> httpx.Response:
        body = json.dumps(payload).encode() if raw is None else raw
        signature = "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
        headers = {
            "User-Agent": "Zammad User Agent", "X-Zammad-Trigger": "closed", "X-Zammad-Delivery": delivery,
            "X-Hub-Signature": signature if header is None else header,
            "Content-Type": "application/json; charset=utf-8",
        }  # fmt: skip
        return await self.client.post("/api/v1/ext/zammad/tickets", content=body, headers=headers)


def changed(**changes: Any) -> dict[str, Any]:
    """The payload with other values at dotted paths (``__`` for the dot); None takes the field away."""
    made = copy.deepcopy(PAYLOAD)
    for path, value in changes.items():
        *above, last = path.split("__")
        at = made
        for name in above:
            at = at[name]
        if value is None:
            del at[last]
        else:
            at[last] = value
    return made


@pytest.fixture
async def duty(tmp_path: Path) -> AsyncIterator[DutySite]:
    """09:00 on a Monday, with Zammad's webhook switched on."""
    settings = {
        "zammad": {"webhook_secret": SECRET, "kinds": {"路灯所": "repair", "客服": "query", "督办": "complaint"}}
    }
    async with duty_site(tmp_path, settings=settings) as site:
        yield site


@pytest.fixture
async def zammad(duty: DutySite) -> AsyncIterator[Zammad]:
    """Zammad, on another machine."""
    made = Zammad(duty.app)
    yield made
    await made.client.aclose()


async def rows(duty: DutySite, table: Any) -> list[dict[str, Any]]:
    """Every row of *table*."""
    async with duty.store.read() as connection:
        return [dict(row) for row in (await connection.execute(table.select())).mappings()]


async def test_a_closed_ticket_is_owed_a_callback_once(duty: DutySite, zammad: Zammad) -> None:
    """QD 第十二条（二）: what another house handed on is called; delivered twice, and after a restart, it is one."""
    first, second = await asyncio.gather(zammad.tell(PAYLOAD), zammad.tell(PAYLOAD))
    assert (first.status_code, first.json()["ignored"]) == (200, False), first.text
    assert second.json() == (await zammad.tell(PAYLOAD)).json() == first.json()
    await duty.restart()
    assert (await zammad.tell(PAYLOAD, delivery="d-2")).json() == first.json()
    assert (await zammad.tell(changed(article__body="改过"), delivery="d-3")).json() == first.json()
    (owed,) = await rows(duty, owed_tickets)
    (callback,) = duty.engine.world.callbacks.values()
    assert (owed["verdict"], owed["callback_id"], owed["kind"]) == ("mandatory", callback.callback_id, "repair")
    assert (callback.number, callback.ticket_id, callback.mandatory) == (CALLER, first.json()["ticket_id"], True)
    (reply,) = await rows(duty, replies)
    assert (reply["text"], reply["reported_by"], reply["result"]) == ("已更换灯泡\n现场正常", "zammad", "done")
    assert reply["at"].isoformat() == "2026-11-23T00:30:00+00:00"
    (ticket,) = await rows(duty, tickets)
    assert (ticket["closed_by"], ticket["owner"]) == ("zammad", ""), "no agent is to take it, no clock runs"


async def test_the_rules_judge_it_by_its_groups_kind(duty: DutySite, zammad: Zammad) -> None:
    """A kind that is not called is refused with its article; a group without a kind is called as handed on."""
    for n, group in enumerate(("客服", "督办", "无此组")):
        told = changed(ticket__group__name=group, ticket__id=n + 1, ticket__customer__phone=f"1380000007{n}")
        assert (await zammad.tell(told)).status_code == 200
    owed = await rows(duty, owed_tickets)
    judged = [(row["kind"], row["verdict"], row["code"], bool(row["articles"])) for row in owed]
    assert judged == [
        ("query", "refused", "kind_not_called", True), ("complaint", "mandatory", "ok", True),
        (None, "mandatory", "ok", True),
    ]  # fmt: skip
    assert [callback.number for callback in duty.engine.world.callbacks.values()] == ["13800000071", "13800000072"]


async def test_a_ticket_that_is_not_closed_does_nothing(duty: DutySite, zammad: Zammad) -> None:
    """It is accepted, so that Zammad does not try again."""
    for state in ("open", "new", "pending close", "Closed"):
        answer = await zammad.tell(changed(ticket__state=state))
        assert (answer.status_code, answer.json()) == (200, {"ticket_id": None, "ignored": True})
    assert not await rows(duty, tickets)


WRONG: list[tuple[str, Any, str]] = [
    ("ticket__customer__phone", None, "ticket.customer.phone"), ("ticket__customer", None, "ticket.customer.phone"),
    ("ticket__customer__phone", "0061 2 1234 7777", "ticket.customer.phone"),
    ("ticket__customer__phone", 1, "ticket.customer.phone"), ("ticket", None, "ticket"),
    ("ticket__id", None, "ticket.id"), ("ticket__id", 0, "ticket.id"), ("ticket__number", "1\n2", "ticket.number"),
    ("ticket__state", None, "ticket.state"), ("ticket__title", "x" * 251, "ticket.title"),
    ("ticket__group__name", None, "ticket.group.name"), ("article__id", "x", "article.id"),
    ("article__body", 7, "article.body"), ("article__sender", "x" * 101, "article.sender"),
    ("article__content_type", 7, "article.content_type"),
    ("article__created_at", "2026-11-23T00:30:00", "article.created_at"),
    ("ticket__customer__mobile", "9" * 101, "ticket.customer.mobile"),
]  # fmt: skip


async def test_a_wrong_field_is_named(duty: DutySite, zammad: Zammad) -> None:
    """422 that names it and repeats nothing; nothing is kept."""
    for path, value, field in WRONG:
        answer = await zammad.tell(changed(**{path: value}))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
        assert "7777" not in answer.text
    assert not await rows(duty, tickets)


async def test_what_is_no_json_is_refused(zammad: Zammad) -> None:
    """Signed or not, it is not read further."""
    for raw in (b"", b"{", b"[]", b"\xff"):
        assert (await zammad.tell(None, raw=raw)).status_code == 422
    assert (await zammad.tell(None, raw=b" " * (128 * 1024 + 1))).status_code == 413


async def test_only_our_secret_signs(duty: DutySite, zammad: Zammad) -> None:
    """401 for another secret, other bytes, none at all, or what is not even ASCII; the body is not looked at."""
    wrong = [await zammad.tell(PAYLOAD, secret=secret) for secret in ("another", "")]
    right = hmac.new(SECRET.encode(), json.dumps(PAYLOAD).encode(), hashlib.sha1).hexdigest()
    headers = ("", "sha1=", right, f"sha256={right}", f"sha1={right[:-1]}")
    wrong += [await zammad.tell(PAYLOAD, header=header) for header in headers]
    wrong.append(await zammad.tell(None, raw=b"{", secret="another"))
    assert {(answer.status_code, answer.json()["code"]) for answer in wrong} == {(401, "bad_signature")}
    assert not await rows(duty, tickets)


async def test_without_a_secret_nobody_is_let_in(tmp_path: Path) -> None:
    """The site has not switched it on: not even an empty secret signs."""
    async with duty_site(tmp_path) as site:
        zammad = Zammad(site.app)
        assert (await zammad.tell(PAYLOAD, secret="")).status_code == 401
        await zammad.client.aclose()


NO_WORDS = "Zammad工单已关闭，无答复内容 (closed in Zammad without words)"
ANSWERS: list[tuple[str, Any, str]] = [
    ("article", None, NO_WORDS), ("article__sender", "Customer", NO_WORDS), ("article__body", "<p> </p>", NO_WORDS),
    ("article__body", "a\x07<i>b\u202e</i>\r\n\r\nc", "a b\nc"), ("article__body", "长" * 5000, "长" * 1000),
    ("article__content_type", "text/plain", PAYLOAD["article"]["body"]),
    ("article__created_at", "2036-01-01T00:00:00Z", "已更换灯泡\n现场正常"),
]  # fmt: skip


async def test_the_answer_is_limited_and_printable(duty: DutySite, zammad: Zammad) -> None:
    """Markup and what cannot be shown are gone, 1000 characters are kept; a citizen's words are no unit's answer."""
    for n, (path, value, _) in enumerate(ANSWERS):
        told = changed(**{path: value})
        told["ticket"]["id"] = n + 1
        answer = await zammad.tell(told)
        assert answer.status_code == 200, answer.text
    kept = {row["request_key"].split("-")[0]: row for row in await rows(duty, replies)}
    assert [kept[str(n + 1)]["text"] for n in range(len(ANSWERS))] == [text for _, _, text in ANSWERS]
    assert all(row["at"] <= duty.clock.now() for row in kept.values())
    assert len(duty.engine.world.callbacks) == 1, "one number is called once about all of them (QD 第十二条（四）)"


async def test_the_mobile_number_will_do(duty: DutySite, zammad: Zammad) -> None:
    """The first number that can be called back; the title stands on the stub."""
    told = changed(ticket__customer__phone="0061 2 1234 7777", ticket__customer__mobile="13800000075")
    assert (await zammad.tell(told)).status_code == 200
    assert [callback.number for callback in duty.engine.world.callbacks.values()] == ["13800000075"]


def test_only_documented_fields_are_read() -> None:
    """The contract: another field that is read is a change of it, and is tested above."""
    models: dict[str, type[BaseModel]] = {
        "ticket": ZammadTicket,
        "ticket.group": Group,
        "ticket.customer": Customer,
        "article": Article,
    }
    assert {path: set(model.model_fields) for path, model in models.items()} == READ


@pytest.mark.parametrize(
    ("zammad", "field"), [({"webhook_secret": "short"}, "webhook_secret"), ({"kinds": {"a": "no-such"}}, "kinds")]
)
def test_a_wrong_setting_is_named(zammad: dict[str, Any], field: str) -> None:
    """A kind that we do not have, or a secret that can be guessed, stops the start."""
    with pytest.raises(BadInput, match=f"zammad.{field}") as error:
        make_settings({"ami": {"secret": "not-used"}, "zammad": zammad})
    assert "short" not in str(error.value)
