"""A ticket that lives in Zammad is closed there: its webhook tells us, and the callback is owed (docs/sinks.md).

Who asks is the signature over the bytes, which every version of Zammad's webhooks has; no cookie and no token is looked
at. Told twice, it is done once: the ticket's and the article's ids are the keys, whatever the delivery is called.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from html.parser import HTMLParser
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, Field, ValidationError
from sqlalchemy import select

from cti.commands.handover import FinishElsewhere
from cti.commands.sinks import ReportReply
from cti.commands.tickets import OpenStub
from cti.engine.sinks import LONGEST
from cti.errors import BadInput
from cti.numbers import diallable
from cti.settings import Settings
from cti.store.sinks_tables import replies
from cti.web.context import Web, WebDep
from cti.web.guard import SIGNATURE
from cti.web.problems import Problem
from queues.replies import Result

router = APIRouter()
BY = "zammad"
CLOSED = "closed"
NO_WORDS = "Zammad工单已关闭，无答复内容 (closed in Zammad without words)"
BLOCKS = frozenset({"br", "div", "p", "li", "tr", "blockquote"})
UNSEEN = frozenset({"script", "style"})

Id = Annotated[int, Field(ge=1, lt=2**63)]


class Customer(BaseModel):
    """Whose ticket it is. Zammad leaves empty fields out, or sends them as null."""

    phone: Annotated[str, Field(max_length=100)] | None = None
    mobile: Annotated[str, Field(max_length=100)] | None = None


class Group(BaseModel):
    """The group that has the ticket."""

    name: Annotated[str, Field(max_length=160)]


class ZammadTicket(BaseModel):
    """What is read of a ticket; the payload holds much more."""

    id: Id
    number: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,40}$")]
    title: Annotated[str, Field(max_length=250)] = ""
    state: Annotated[str, Field(max_length=100)]
    group: Group | None = None
    customer: Customer | None = None


class Article(BaseModel):
    """The article that the trigger saw: the unit's answer, unless the citizen wrote it."""

    id: Id | None = None
    body: str | None = None
    content_type: Annotated[str, Field(max_length=100)] | None = None
    sender: Annotated[str, Field(max_length=100)] | None = None
    created_at: AwareDatetime | None = None


class Payload(BaseModel):
    """Zammad's default payload, as far as it is read."""

    ticket: ZammadTicket
    article: Article | None = None


class Heard(BaseModel):
    """What came of it. ``ignored``: the ticket is not closed, so nothing was done."""

    ticket_id: str | None = None
    ignored: bool = False


async def signed(request: Request, web: WebDep) -> bytes:
    """The body, when its signature is ours: ``sha1=`` and the HMAC-SHA1 of the bytes in hex.

    Raises:
        Problem: ``bad_signature``; also when the site has no secret.
    """
    body, secret = await request.body(), web.settings.zammad.webhook_secret
    ours = "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    given = request.headers.get(SIGNATURE, "")
    if not secret or not hmac.compare_digest(ours.encode(), given.encode()):
        raise Problem("bad_signature")
    return body


@router.post("/ext/zammad/tickets", tags=["ext"])
async def closed(body: Annotated[bytes, Depends(signed)], web: WebDep) -> Heard:
    """Take a closed ticket: its stub, the unit's answer, and what is owed for it. Any other state is ignored."""
    try:
        told = Payload.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise BadInput(".".join(map(str, first["loc"])) or "body", first["msg"]) from error
    ticket = told.ticket
    if ticket.state != CLOSED:
        return Heard(ignored=True)
    caller = _number(ticket.customer or Customer(), web.settings)
    kind = web.settings.zammad.kinds.get(ticket.group.name) if ticket.group else None
    words = f"Zammad {ticket.number} {_printable(ticket.title)}".strip()
    opened = await web.do(OpenStub("other", caller, kind, None, words, BY, f"{BY}:{ticket.id}"))
    ticket_id = str(opened.data["ticket_id"])
    await web.do(await _reply(web, ticket_id, told))
    await web.do(FinishElsewhere(BY, ticket_id))
    return Heard(ticket_id=ticket_id)


async def _reply(web: Web, ticket_id: str, told: Payload) -> ReportReply:
    """The unit's answer; one that was taken already is told again as it was, although the article was edited since."""
    article = told.article or Article()
    key = f"{told.ticket.id}-{article.id or 0}"
    mine = select(replies.c.text, replies.c.at).where(replies.c.token_id == BY, replies.c.request_key == key)
    async with web.store.read() as connection:
        known = (await connection.execute(mine)).one_or_none()
    text, at = (known.text, known.at) if known is not None else (_answer(article), _at(article, web.clock.now()))
    return ReportReply(BY, BY, key, ticket_id, Result.DONE, text, at)


def _at(article: Article, now: datetime) -> datetime:
    """When the unit answered; Zammad's clock may be ahead of ours."""
    return min(article.created_at or now, now)


def _number(customer: Customer, settings: Settings) -> str:
    """The first of the customer's numbers that can be called back. Raises BadInput."""
    for given in (customer.phone, customer.mobile):
        try:
            return diallable(given or "", settings.callback.area_code, settings.callback.allow)
        except BadInput:
            continue
    raise BadInput("ticket.customer.phone", "no number that can be called back (没有可回访的号码)")


def _answer(article: Article) -> str:
    """The article's words without their markup, as many as are kept."""
    if article.sender == "Customer":
        return NO_WORDS
    body = article.body or ""
    if (article.content_type or "").startswith("text/html"):
        words = _Words()
        words.feed(body)
        words.close()
        body = "".join(words.found)
    lines = (_printable(line).strip() for line in body.splitlines())
    return "\n".join(line for line in lines if line)[:LONGEST] or NO_WORDS


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


class _Words(HTMLParser):
    """The text of a piece of HTML, a line for each block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in UNSEEN
        if tag in BLOCKS:
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in UNSEEN and self._unseen > 0
        if tag in BLOCKS:
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.found.append(data)
