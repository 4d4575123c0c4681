"""What a ticket stub says beyond the call that it came from: kind, area, words typed, and who brought it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Stub:
    """The particulars of a ticket stub. Times are aware UTC. Text that people typed is hostile: shown, never run."""

    ticket_id: str
    agent: str
    """Who keeps first responsibility (首问责任), however often the call or the ticket moves."""
    opened_at: datetime
    call_id: str | None = None
    """The call; None for a stub that another channel opened. Several stubs may share a call."""
    ordinal: int = 1
    """1 for the stub that the answer opened; more for further matters of the same call (KL-15(1).3)."""
    channel: str = "phone"
    """phone | wechat | dingtalk | oa | other | patrol (集团巡线)."""
    caller: str = ""
    """The number, as the call told it, or as the channel gave it; empty when withheld."""
    kind: str | None = None
    """A kind of the profile's list (KL-14); None until the agent says."""
    area: str | None = None
    """A code of the site's areas (``hotline.areas``)."""
    emergency: bool = False
    caller_kind: str = "citizen"
    """citizen | media | nuisance | silent."""
    verified: bool = False
    """The agent checked who the caller is."""
    notes: str = ""
    notes_version: int = 0
    """Rises with every saved change of the notes, so that an older text never replaces a newer one."""
    unit: str | None = None
    """The unit it was handed out to (the directory's code)."""
    hand_out_due: datetime | None = None
    handed_out_at: datetime | None = None
    returned_at: datetime | None = None
    """When a unit last gave it back (退单): its hand-out is due anew from then."""
    reminders: int = 0
    """Reminders (催办) sent to the unit so far."""
    reminded_at: datetime | None = None
    verified_by: str | None = None
    verified_at: datetime | None = None
    complaint_grade: str | None = None
    """3 (轻度) | 2 (一般) | 1 (重大): KL-14(六)."""
    grade: str | None = None
    """special | first | second | third (特级, 一级, 二级, 三级): WD-7."""
    taken_due: datetime | None = None
    """Until when the unit is to have taken it (接收工单)."""
    taken_at: datetime | None = None
    finish_due: datetime | None = None
    """Until when it is to be finished (办结)."""
    overdue_told: bool = False
    """Whether its hand-out has been alarmed as overdue: once, whatever restarts."""
    no_callback: bool = False
    """The caller said that he wants no callback (客户明确要求不需回访)."""
    repeat: bool = False
    """重复件: the same matter again."""
    daily_brief: bool = False
    """日报重点信息件: it stands in the daily brief."""
    flying_letter: bool = False
    """飞信件."""
    request_key: str | None = None
    """The key of whoever asked for it, so that a second asking opens no second stub."""

    @property
    def said(self) -> bool:
        """Whether anything is said of it beyond what the answered call itself tells."""
        return self != Stub(self.ticket_id, self.agent, self.opened_at, self.call_id, caller=self.caller)
