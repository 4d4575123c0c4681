"""What a responsible unit may answer to a ticket."""

from __future__ import annotations

from enum import StrEnum


class Result(StrEnum):
    """How the unit left the matter, as it reports it."""

    DONE = "done"  # 已办理
    PARTLY = "partly"  # 部分办理
    EXPLAINED = "explained"  # 解释说明
    RETURNED = "returned"  # 退回: not its matter
