"""What the recording of a call turned out to be: attached to its ticket, or an alarm."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cti.engine.inputs import Checked
from cti.engine.world import World


def checked(world: World, result: Checked, now: datetime) -> None:
    """Take the result of a check. The same result again (a later look at a missing file) tells nothing new."""
    before = world.recordings.get(result.call_id)
    if before is None:
        return
    if result.retryable and before.checked_at is None:
        # The next audit looks again; only what is still not there then is worth an alarm.
        world.put_recording(replace(before, reason=result.reason, checked_at=now))
        return
    after = replace(
        before, state=result.state, length_ms=result.length_ms, size=result.size, sha256=result.sha256,
        reason=result.reason, checked_at=now,
    )  # fmt: skip
    world.put_recording(after)
    if after.state in ("ok", "repaired"):
        del world.recordings[after.call_id]  # whole: nobody need look again
    if (before.state, before.sha256) == (after.state, after.sha256):
        return
    data = {"state": after.state, "length_ms": after.length_ms, "ticket_id": after.ticket_id}
    world.tell(now, "recording.checked", after.call_id, data)
    if after.state in ("short", "missing"):
        alarm = {"state": after.state, "reason": after.reason, "ticket_id": after.ticket_id}
        world.tell(now, "recording.alarm", after.call_id, alarm, "lead")
