"""Off the post too long: retraining first (QD 第二十三条: 对连续离岗时间超过2个月以上的人员进行业务再培训)."""

from __future__ import annotations

import calendar
from collections.abc import Container, Iterable
from datetime import datetime, tzinfo

from regulations import Article, Limit, Ruling, allowed, refused


def months_later(moment: datetime, months: int, zone: tzinfo) -> datetime:
    """The same local time *months* calendar months later; on the month's last day where that day is missing."""
    local = moment.astimezone(zone)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(moment.tzinfo)


def may_return(
    last_on_post: datetime | None, retrained_at: datetime | None, limit: Limit, now: datetime, zone: tzinfo
) -> Ruling:
    """Whether somebody may sign in after *last_on_post*, the last time that he signed in or out.

    Exactly the months of *limit* are allowed, more is not. A retraining recorded after the last time on post lifts it.
    Somebody who never was on post is not refused: the article speaks of those who were away, and whether a newcomer has
    been trained before his first shift is the word of whoever gave him a number and a PIN.

    Args:
        last_on_post: aware, or None for somebody who never was.
        retrained_at: when a lead recorded the retraining last, aware, or None.
        limit: ``training.off_post_months``, calendar months of *zone*.
        now: aware.
        zone: the hotline's.
    """
    if last_on_post is None or now <= months_later(last_on_post, _months(limit), zone):
        return allowed(limit.article)
    if retrained_at is not None and retrained_at > last_on_post:
        return allowed(limit.article)
    months = _months(limit)
    return refused(
        "retraining_needed",
        f"离岗超过{months}个月，须经业务再培训考核合格、由值班长登记后方可签入",
        f"Off the post for more than {months} months: sign-in once a lead has recorded the retraining",
        limit.article,
    )


def may_record(by: str, number: str, articles: Iterable[Article], leads: Container[str]) -> Ruling:
    """A lead, one of *leads*, records that somebody was retrained and has passed; nobody does so for himself."""
    if by not in leads:
        return refused("not_lead", "须由值班长登记", "Only a shift lead records it", *articles)
    if by == number:
        return refused("own_training", "不能为本人登记培训", "Nobody records his own training", *articles)
    return allowed(*articles)


def _months(limit: Limit) -> int:
    if not isinstance(limit.value, int):
        raise TypeError(f"{limit.path} is not a count")
    return limit.value
