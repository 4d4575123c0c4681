"""What is owed, on the real Asterisk: a unit's reply, the key, the talk, and a dissatisfied caller's way back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk
from cti.lab.citizens import Citizens
from cti.lab.service import LabPerson
from tests.asterisk.conftest import PIN, Hotline
from tests.asterisk.test_callbacks import dialled
from tests.asterisk.test_tickets import UNIT

pytestmark = pytest.mark.asterisk
NUMBER, ADMIN = "13800000291", "9001"  # the lab's citizen of this number picks up when he is called back


@pytest.fixture
def desk(lab: LabAsterisk, tmp_path: Path) -> Iterator[Hotline]:
    """Agent 1001 at a seat that picks up at once, one unit, and an administrator for the unit's token."""
    areas = {"east": {"zh": "东片区", "en": "East"}}
    working = Hotline(lab, tmp_path / "service", hotline={"areas": areas})
    try:
        working.service.prepare([LabPerson(ADMIN, "测试管理员", "admin", PIN)])
        working.sign_in(a1001="3001")
        assert working.page("2001").ask("PUT", "directory/units/pipes-east", UNIT).status in (200, 204)
        yield working
    finally:
        working.service.stop()


def done(desk: Hotline, method: str, path: str, body: Any = None, agent: str = "1001", **headers: str) -> Any:
    """The answer to a request that is allowed."""
    answer = desk.page(agent).ask(method, path, body, **headers)
    assert answer.status in (200, 201, 204), answer
    return answer.body


def replied(desk: Hotline, token: str, ticket_id: str, key: str) -> None:
    """The unit's own system reports that the matter is done."""
    body = {"at": datetime.now(UTC).isoformat(), "result": "done", "text": "已修复"}
    headers = {"Authorization": f"Bearer {token}", "Idempotency_Key": key}
    done(desk, "POST", f"ext/tickets/{ticket_id}/replies", body, **headers)


def test_a_dissatisfied_caller_goes_back_to_the_unit(desk: Hotline, citizens: Citizens) -> None:
    """QD 第十二条: answered, owed, claimed, read, dialled agent first, recorded; sent back, owed anew when answered.

    CDR's legs with our ChannelId are the attempt rows; the recording is the file on the disk, as long as the talk.
    """
    lab = desk.lab
    token = done(desk, "POST", "tokens", {"name": "pipes", "scopes": ["reply:report"]}, ADMIN)["token"]
    call_id = citizens.call("12319", 40, NUMBER)
    desk.until(lambda: desk.rows("select 1 from tickets where call_id = ?", call_id))
    citizens.hang_up(call_id)
    ((ticket_id,),) = desk.rows("select ticket_id from tickets where call_id = ?", call_id)
    done(desk, "PATCH", f"tickets/{ticket_id}", {"kind": "repair", "area": "east"})
    done(desk, "POST", f"tickets/{ticket_id}/handout", {"unit": "pipes-east"})
    desk.settled(1)
    assert done(desk, "GET", "callback-desk") == []
    replied(desk, token, ticket_id, "r-1")
    (owed,) = done(desk, "GET", "callback-desk")
    callback_id = owed["callback_id"]
    assert (owed["ticket_id"], owed["agent"], owed["mandatory"], owed["source"]) == (ticket_id, "", True, "ticket")
    done(desk, "POST", f"owed/{callback_id}/claim")
    done(desk, "POST", f"callbacks/{callback_id}/preview")
    done(desk, "POST", f"callbacks/{callback_id}/dial")
    desk.until(lambda: desk.rows("select 1 from attempts where answered_at is not null"), 30)
    said = {"result": "dissatisfied", "cause": "handling", "text": "仍漏水"}
    done(desk, "POST", f"owed/{callback_id}/result", said)
    desk.until(lambda: desk.rows("select state, result from callbacks") == [("reached", "dissatisfied")], 30)
    done(desk, "POST", f"owed/{callback_id}/sendback", {"reason": "与事实不符"})

    ((channel_id, outcome, talk_s),) = desk.rows(
        "select channel_id, outcome, (ended_at - answered_at) / 1e6 from attempts"
    )
    assert outcome == "reached"
    assert dialled(lab) == [(channel_id, NUMBER)]
    mine = [row for row in oracle.read_cel(lab.cel) if row.linkedid == channel_id]
    answered = next(at for at, row in enumerate(mine) if (row.uniqueid, row.event) == (channel_id, "ANSWER"))
    rung = next(at for at, row in enumerate(mine) if (row.exten, row.event) == (NUMBER, "CHAN_START"))
    assert answered < rung  # the agent's phone first
    legs = [row.uniqueid for row in oracle.read_cdr(lab.cdr) if row.uniqueid.startswith("cticb-")]
    assert [leg for leg in legs if ";" not in leg] == [channel_id]
    whole = "select path, sha256 from recordings where call_id = ? and state = 'ok'"
    desk.until(lambda: desk.rows(whole, channel_id), 15)
    ((path, digest),) = desk.rows(whole, channel_id)
    file = lab.recordings / path
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()
    sound = oracle.listen(file)
    assert sound.loudness > 100
    assert sound.seconds == pytest.approx(talk_s, abs=0.5)

    assert desk.rows("select round, code from owed_tickets") == [(1, "sent_back")]
    assert desk.rows("select subject from outbox where kind = 'ticket.sent_back'") == [(ticket_id,)]
    assert desk.rows("select taken_at from stubs") == [(None,)]  # the unit's clock runs anew
    replied(desk, token, ticket_id, "r-2")
    (again,) = done(desk, "GET", "callback-desk")
    assert again["callback_id"] != callback_id
    assert (again["ticket_id"], again["mandatory"]) == (ticket_id, True)
    assert desk.rows("select round, code from owed_tickets order by round") == [(1, "sent_back"), (2, "ok")]
