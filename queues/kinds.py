"""The kinds of matters that callers bring (KL 第十四条), and which figure of the profile is each one's clock.

A kind without a figure in the site's profile has no clock; the words stay the same at every hotline.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """One kind. ``key``: the key that chooses it on the agent's page. Paths are dotted, of regulations/profile.py."""

    code: str
    zh: str
    en: str
    key: str
    hand_out: str | None
    """The time from the demand to the hand-out to the responsible unit (派发)."""
    finish_days: str | None = None
    """Working days from the hand-out to the unit's answer."""


KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind("query", "信息查询", "Look-up", "1", None),
        Kind("consult", "业务咨询", "Question", "2", "ticket.handout_consult", "ticket.finish_consult_days"),
        Kind("emergency", "报警", "Emergency", "3", None),
        Kind("repair", "故障报修", "Repair", "4", "ticket.handout_repair", "ticket.finish_repair_days"),
        Kind("service", "服务申请", "Service", "5", "ticket.handout_service", "ticket.finish_service_days"),
        Kind("complaint", "投诉", "Complaint", "6", "ticket.handout_complaint"),
        Kind("report", "举报", "Report", "7", "ticket.handout_report", "ticket.finish_report_days"),
        Kind("opinion", "意见", "Opinion", "8", "ticket.handout_report", "ticket.finish_report_days"),
        Kind("suggestion", "建议", "Suggestion", "9", "ticket.handout_report", "ticket.finish_report_days"),
        Kind("praise", "表扬", "Praise", "0", "ticket.handout_praise"),
    )
}  # fmt: skip

CHANNELS = {
    "phone": ("电话", "Phone"), "wechat": ("微信", "WeChat"), "dingtalk": ("钉钉", "DingTalk"), "oa": ("OA", "OA"),
    "other": ("其他", "Other"), "patrol": ("集团巡线", "Patrol"),
}  # fmt: skip
"""Where a stub comes from (GJ-5, QD-12(3)): code -> Chinese and English name."""

CALLER_KINDS = {
    "citizen": ("市民", "Citizen"), "media": ("媒体", "Media"), "nuisance": ("骚扰", "Nuisance"),
    "silent": ("无声", "Silent"),
}  # fmt: skip
"""Who calls: code -> Chinese and English name."""

GRADES = {
    "special": ("特级", "Special"), "first": ("一级", "First"), "second": ("二级", "Second"),
    "third": ("三级", "Third"),
}  # fmt: skip
"""How urgent (WD-7): code -> Chinese and English name; each has the figure ``ticket.finish_<code>``."""

COMPLAINT_GRADES = {"3": ("轻度/3级", "Light (3)"), "2": ("一般/2级", "Ordinary (2)"), "1": ("重大/1级", "Major (1)")}
"""How grave a complaint is (KL-14(六)): code -> Chinese and English name."""
