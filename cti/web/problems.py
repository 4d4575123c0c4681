"""Refusals and faults on the wire: RFC 9457 problem+json with a stable ``code``, in Chinese and English.

A body never repeats what the client sent, and a fault of ours shows only an id that is in the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from cti.errors import BadInput, CtiError, NotFound, Unavailable
from regulations import Ruling

MEDIA_TYPE = "application/problem+json"

WORDS: Mapping[str, tuple[int, str, str]] = {
    "bad_input": (422, "输入有误", "Something given cannot be taken"),
    "bad_login": (401, "工号或密码错误", "Wrong work number or PIN"),
    "callback_rate": (429, "回访请求过多，请稍后再试", "Too many callbacks asked for; try later"),
    "cross_site": (403, "请求来源不被允许", "The request came from another site"),
    "fault": (500, "服务内部错误", "A fault inside the service"),
    "forbidden": (403, "您的角色无权进行此操作", "Your role may not do this"),
    "idempotency_key": (400, "缺少或无效的 Idempotency-Key 请求头", "Idempotency-Key: 1 to 60 letters, digits, -"),
    "length_required": (411, "请求须注明长度", "Content-Length is needed"),
    "method_not_allowed": (405, "不支持此方法", "This method is not supported here"),
    "not_found": (404, "不存在", "No such thing"),
    "not_logged_in": (401, "请先登录", "Log in first"),
    "bad_token": (401, "令牌缺失、无效或已停用", "The token is missing, unknown or ended"),
    "bad_signature": (401, "签名缺失或无效", "The signature is missing or wrong"),
    "range": (416, "只支持一个有效的字节范围", "One range of bytes within the file is needed"),
    "recording_changed": (409, "录音文件与登记不符，不予播放", "The file is not the one that was kept: not played"),
    "recording_writing": (409, "录音尚未写完，请稍后再听", "The recording is still being written; try later"),
    "scope": (403, "此令牌无权进行此操作", "This token may not do this"),
    "throttled": (429, "尝试过于频繁，请稍后再试", "Too many attempts; try later"),
    "too_large": (413, "请求过大", "The request is too large"),
    "too_many_streams": (429, "打开的页面过多", "Too many open pages"),
    "unavailable": (503, "服务暂不可用，请稍后再试", "A needed part is away; try again later"),
    "unreadable": (400, "请求无法解析", "The request cannot be read"),
}  # fmt: skip

_FIELD_ZH = {
    "missing": "必填",
    "string_pattern_mismatch": "格式不正确",
    "string_too_short": "过短",
    "string_too_long": "过长",
    "extra_forbidden": "未知字段",
    "timezone_aware": "须带时区",
    "json_invalid": "不是有效的JSON",
}


class ArticleBody(BaseModel):
    """An article that a refusal rests on."""

    document: str
    article: str
    wording: str


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str
    message_en: str


class ProblemBody(BaseModel):
    """RFC 9457, with what a ruling says."""

    model_config = ConfigDict(json_schema_extra={"description": "application/problem+json"})

    type: str
    status: int
    code: str
    title: str
    detail: str
    detail_en: str
    errors: list[FieldError] | None = None
    articles: list[ArticleBody] | None = None
    allowed_at: datetime | None = None
    override: str | None = None
    fault_id: str | None = None


class Problem(Exception):
    """Ends a request with a problem document."""

    def __init__(self, code: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.headers = headers
        self.more = more

    def response(self) -> JSONResponse:
        """The document."""
        status, zh, en = WORDS[self.code]
        return _document(status, self.code, zh, zh, en, self.headers, **self.more)


def _document(
    status: int, code: str, title: str, zh: str, en: str, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    body = ProblemBody(
        type=f"urn:cti:problem:{code}", status=status, code=code, title=title, detail=zh, detail_en=en, **more
    )
    return JSONResponse(
        body.model_dump(mode="json", exclude_none=True), status, media_type=MEDIA_TYPE, headers=dict(headers or {})
    )


class Refused(Exception):
    """A rule said no: 409 with its articles, or 429 when nothing but patience is asked for.

    Args:
        retry_s: whole seconds until the same request may be made again; None for a 409.
    """

    def __init__(self, ruling: Ruling, retry_s: int | None = None) -> None:
        super().__init__(ruling.code)
        self.ruling, self.retry_s = ruling, retry_s

    def response(self) -> JSONResponse:
        """The document, with every article that spoke."""
        said = self.ruling
        articles = [
            ArticleBody(document=a.document, article=a.article, wording=a.wording) for a in said.articles
        ]  # fmt: skip
        status, headers = (409, None) if self.retry_s is None else (429, {"Retry-After": str(self.retry_s)})
        return _document(
            status, said.code, "操作被拒绝", said.zh, said.en, headers,
            articles=articles, allowed_at=said.allowed_at, override=said.override,
        )  # fmt: skip


def of_fault(error: CtiError) -> JSONResponse:
    """A fault of the shell, translated. Its text is ours and holds no caller's data."""
    if isinstance(error, BadInput):
        return bad_fields([FieldError(field=error.field, message=error.message, message_en=error.message)])
    code = "not_found" if isinstance(error, NotFound) else "unavailable" if isinstance(error, Unavailable) else "fault"
    return Problem(code).response()


def bad_fields(errors: Sequence[FieldError]) -> JSONResponse:
    """422 that names every field."""
    zh = "；".join(f"{e.field}：{e.message}" for e in errors)
    en = "; ".join(f"{e.field}: {e.message_en}" for e in errors)
    return _document(422, "bad_input", WORDS["bad_input"][1], zh, en, errors=list(errors))


def _of_validation(error: RequestValidationError) -> JSONResponse:
    found = []
    for item in error.errors():
        name = ".".join(str(part) for part in item["loc"] if part not in ("body", "query", "path", "header"))
        found.append(
            FieldError(field=name or "body", message=_FIELD_ZH.get(item["type"], "无效"), message_en=item["msg"])
        )
    return bad_fields(found)


def install(app: FastAPI) -> None:
    """Make every error of *app* a problem document."""

    async def problem(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem | Refused)  # noqa: S101 - registered for these two only
        return error.response()

    async def fault(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, CtiError)  # noqa: S101
        return of_fault(error)

    async def invalid(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return _of_validation(error)

    async def plain(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        known = {400: "unreadable", 404: "not_found", 405: "method_not_allowed"}
        return Problem(known.get(error.status_code, "fault"), headers=error.headers).response()

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(Refused, problem)
    app.add_exception_handler(CtiError, fault)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemBody, "description": text}
    for status, text in (
        (401, "not logged in"), (403, "the role may not"), (404, "unknown, or not for this person"),
        (409, "a rule says no"), (422, "a field is wrong"),
        (429, "too much for now; again after Retry-After seconds"), (503, "a needed part is away"),
    )
}  # fmt: skip
