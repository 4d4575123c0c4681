"""The lines of the ledgers in words, Chinese first: who, when, what, result. Callers' numbers are masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cti.engine.part import ActKind
from cti.settings import HotlineSettings
from queues.board import mask
from queues.kinds import CHANNELS, KINDS
from queues.replies import Result
from recordings import State

Pair = tuple[str, str]

ACTS: dict[str, tuple[Pair, Pair]] = {  # what was done, and what came of it
    ActKind.SIGNED_IN: (("签入", "Signed in"), ("已签入排队", "On the queue")),
    ActKind.SIGNED_OUT: (("签出", "Signed out"), ("已退出排队", "Off the queue")),
    ActKind.BUSY: (("示忙", "Busy"), ("暂停接听", "Takes no calls")),
    ActKind.READY: (("就绪", "Ready"), ("可接听", "Takes calls")),
    ActKind.ARRIVED: (("到岗", "Arrived"), ("已到岗", "At the post")),
    ActKind.OUTSIDE: (("绕过控制台", "Past the console"), ("与登记不符", "Not as the console says")),
    ActKind.INSIDE: (("恢复一致", "As the console again"), ("与登记一致", "As the console says")),
}
ANSWERS: dict[str, Pair] = {
    Result.DONE: ("已办理", "Done"), Result.PARTLY: ("部分办理", "Partly done"),
    Result.EXPLAINED: ("解释说明", "Explained"), Result.RETURNED: ("退回", "Returned"),
}  # fmt: skip
RECORDINGS: dict[str, Pair] = {
    "expected": ("待核对", "To be checked"), State.OK: ("完好", "Whole"), State.REPAIRED: ("已修复", "Repaired"),
    State.SHORT: ("不足", "Short"), State.MISSING: ("缺失", "Missing"),
}  # fmt: skip
RATINGS: dict[int, Pair] = {1: ("满意", "Satisfied"), 2: ("一般", "Neutral"), 3: ("不满意", "Dissatisfied")}
SOURCES: dict[str, Pair] = {
    "ticket": ("工单回访", "Ticket"), "missed": ("未接来电", "Missed call"), "system": ("其他系统", "Another system"),
    "sample": ("抽样", "Sample"), "patrol": ("集团巡线", "Patrol"),
}  # fmt: skip
STATES: dict[str, Pair] = {
    "due": ("待回访", "Due"), "placing": ("正在回访", "Calling"), "reached": ("已接通", "Reached"),
    "exhausted": ("三次未果", "Attempts used"), "cancelled": ("已取消", "Cancelled"),
}  # fmt: skip
OUTCOMES: dict[str, Pair] = {
    "placing": ("正在拨打", "Calling"), "reached": ("已接通", "Reached"), "no_answer": ("无人接听", "No answer"),
    "busy": ("占线", "Busy"), "agent_away": ("话务员未接", "Agent away"), "failed": ("网络故障", "Network failure"),
    "refused": ("拒接", "Refused"), "wrong_number": ("号码错误", "Wrong number"),
    "not_convenient": ("不便接听", "Not convenient"), "unknown": ("不明", "Unknown"),
}  # fmt: skip
RESULTS: dict[str, Pair] = {
    "satisfied": ("满意", "Satisfied"), "neutral": ("一般", "Neutral"), "dissatisfied": ("不满意", "Dissatisfied"),
}  # fmt: skip
CALLBACK_HEAD = (
    "回访 Callback", "工单 Ticket", "来源 Source", "类别 Kind", "责任单位 Unit", "号码 Number", "必访 Mandatory",
    "提出时间 Asked", "时限 Deadline", "预约 Appointment", "经办人 Agent", "状态 State", "评价 Result",
    "办结时间 Closed", "说明 Reason", "次序 Attempt", "拨打人 Dialled by", "拨打时间 Started", "接通时间 Answered",
    "结束时间 Ended", "结果 Outcome",
)  # fmt: skip
DUTY_HEAD = (
    "时间 Time", "工号 Number", "姓名 Name", "事项 Act", "席位 Seat", "结果 Result", "操作人 By", "原因 Reason",
)  # fmt: skip
TICKET_HEAD = (
    "工单 Ticket", "受理时间 Opened", "通话 Call", "渠道 Channel", "来电号码 Caller", "首问责任人 First responsibility",
    "经办人 Owner", "类别 Kind", "片区 Area", "责任单位 Unit", "派单时限 Hand-out due", "派发时间 Handed out",
    "办理时限 Due", "办结时间 Finished", "办结人 Finished by", "办理结果 Result", "单位答复 Unit's answer",
    "回复诉求人 Caller told", "等候秒 Wait s", "通话秒 Talk s", "录音 Recording", "评价 Rating",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lines:
    """What codes are called at this site. ``people``: number -> name; ``units``: code -> Chinese and English name."""

    zone: ZoneInfo
    hotline: HotlineSettings
    people: Mapping[str, str]
    units: Mapping[str, Pair]

    def duty(self, row: Any) -> list[str]:
        """A line of the duty log (值班记录)."""
        what, came = ACTS[row.act]
        busy = self.hotline.busy_reasons.get(row.reason) if row.act == ActKind.BUSY and row.reason else None
        return [
            self._at(row.at), row.agent, self.people.get(row.agent, ""), _both(what), row.seat or "", _both(came),
            self._who(row.by or row.agent), _both((busy.zh, busy.en)) if busy else row.reason or "",
        ]  # fmt: skip

    def ticket(self, row: Any) -> list[str]:
        """A line of the ledger of matters (台账). Wait and talk are empty for what came by another channel."""
        kind, area = KINDS.get(row.kind or ""), self.hotline.areas.get(row.area or "")
        by_phone = row.call_id is not None
        talk = row.talk_ended_at - row.answered_at if by_phone and row.talk_ended_at else None
        return [
            row.ticket_id, self._at(row.opened_at), row.call_id or "", _both(CHANNELS[row.channel or "phone"]),
            mask(row.caller), self._who(row.agent), self._who(row.owner or row.agent),
            _both((kind.zh, kind.en)) if kind else row.kind or "",
            _both((area.zh, area.en)) if area else row.area or "",
            _both(self.units[row.unit]) if row.unit in self.units else row.unit or "",
            self._at(row.hand_out_due), self._at(row.handed_out_at), self._at(row.finish_due),
            self._at(row.closed_at), self._who(row.closed_by), _both(_result(row)), _both(ANSWERS.get(row.answer)),
            self._at(row.told_at), _seconds(timedelta(milliseconds=row.wait_ms)) if by_phone else "",
            _seconds(talk), _both(RECORDINGS.get(row.recording)), _both(RATINGS.get(row.rating)),
        ]  # fmt: skip

    def callback(self, row: Any) -> list[str]:
        """A line of the callbacks: one for each attempt."""
        kind = KINDS.get(row.kind or "")
        return [
            row.callback_id, row.ticket_id or "", _both(SOURCES.get(row.source)),
            _both((kind.zh, kind.en)) if kind else row.kind or "",
            _both(self.units[row.unit]) if row.unit in self.units else row.unit or "", mask(row.number),
            "是 yes" if row.mandatory else "", self._at(row.requested_at), self._at(row.deadline),
            self._at(row.appointment_at), self._who(row.agent), _both(STATES.get(row.state)),
            _both(RESULTS.get(row.result)), self._at(row.closed_at), row.close_reason,
            "" if row.ordinal is None else str(row.ordinal), self._who(row.dialled_by), self._at(row.started_at),
            self._at(row.answered_at), self._at(row.ended_at), _both(OUTCOMES.get(row.outcome)),
        ]  # fmt: skip

    def _at(self, moment: datetime | None) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M:%S}" if moment else ""

    def _who(self, number: str | None) -> str:
        return f"{number} {self.people.get(number, '')}".strip() if number else ""


def _result(row: Any) -> Pair:
    if row.closed_at:
        return "已办结", "Finished"
    if row.handed_out_at and not (row.returned_at and row.returned_at >= row.handed_out_at):
        return "已派发", "Handed out"
    return ("退单", "Returned") if row.returned_at else ("受理中", "Open")


def _both(pair: Pair | None) -> str:
    return " ".join(dict.fromkeys(pair)) if pair else ""  # OA is OA in both


def _seconds(span: timedelta | None) -> str:
    return "" if span is None else f"{span.total_seconds():.1f}"
