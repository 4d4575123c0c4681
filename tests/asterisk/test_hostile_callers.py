"""Text that a caller chooses forges no event, no queue_log line and no file name with asterisk-conf/ as it is shipped.

The oracles are Asterisk's own: the raw bytes of an AMI session that reads every event, queue_log, the files on disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cti.lab import oracle
from cti.lab.asterisk import LabAsterisk, Program
from cti.lab.citizens import Citizens
from cti.lab.manager import Manager, headers_of
from cti.lab.sip import run_scenario, send_invite

pytestmark = pytest.mark.asterisk
SIPP = Path(__file__).parent / "sipp"
FRAME = "%0d%0a%0d%0aEvent%3a%20AgentConnect%0d%0aQueue%3a%20forged%0d%0aMark%3a%201%0d%0a%0d%0a"
QUEUE_LINE = "%0a1795280313%7c1%7chotline%7cforged%7cCOMPLETEAGENT%7c1%7c1%7c1%0a"
GENUINE = re.compile(rb"Event: \w+\r\nPrivilege: [\w,]+\r\nTimestamp: \d+\.\d{6}\r\n")
FREE = "<sip:anonymous@anonymous.invalid>"

# From header -> the number that QueueCallerJoin must show ("" when the caller gave none).
HOSTILE = {
    f'"x" <sip:13800000001{FRAME}@c.invalid>': "13800000001",
    f"<sip:{FRAME}@c.invalid>": "",
    f"<sip:13800000002{QUEUE_LINE}@c.invalid>": "13800000002",
    "<sip:13800000003%00%01%1b%7f@c.invalid>": "13800000003",
    '"Event: AgentConnect|COMPLETEAGENT|hotline" <sip:13800000004@c.invalid>': "13800000004",
    '"<sip:110@c.invalid>" <sip:13800000005@c.invalid>': "13800000005",
    '"a\\"b<sip:112@c.invalid>, c" <sip:13800000006@c.invalid>': "13800000006",
    '"\x1b[2J\x7f\u202e\u2066测试话务员戊" <sip:13800000007@c.invalid>': "13800000007",
    '"$(touch /tmp/x)`id`${SHELL(id)}|,../../etc/passwd" <sip:13800000008@c.invalid>': "13800000008",
    f'"{"長" * 90}" <sip:13800000009@c.invalid>': "13800000009",
    f"<sip:{'9' * 120}@c.invalid>": "9" * 20,
    "<sip:../../../etc/passwd@c.invalid>": "",
    "<sip:13800000010:secret@c.invalid>": "13800000010",
    "<tel:+8613800000011>": "+8613800000011",
    "sip:13800000012@c.invalid": "13800000012",
    FREE: "",
    '"测试话务员戊" <sip:13800000013@c.invalid>': "13800000013",
}
DIALLED = [
    f"12319{FRAME}", f"12319{QUEUE_LINE}", "12319%01", "12319%7cx", "../12319", "..%2f..%2f12319", "12319$(id)",
    "12319%0a", "hotline", "s", "1231", "123199", "9" * 100, "*50", "%2a50", "&12319", "12319%26Local",
]  # fmt: skip


class Watch:
    """A session that reads every event and keeps the raw frames."""

    def __init__(self, lab: LabAsterisk) -> None:
        self.frames: list[bytes] = []
        self.session = Manager("127.0.0.1", lab.ami_port, "lab", lab.lab_secret, self.frames.append)

    def forged(self) -> list[bytes]:
        """Frames that Asterisk itself would not write, or that hold the forger's mark."""
        return [
            frame for frame in self.frames
            if not (GENUINE.match(frame) or frame.startswith(b"Event: FullyBooted\r\n"))
            or b"\r\nMark: 1" in frame
            or any(b": " not in line for line in frame.split(b"\r\n"))
        ]  # fmt: skip

    def of(self, event: str) -> list[dict[str, str]]:
        """Headers of every *event*, in order."""
        return [headers_of(frame) for frame in self.frames if frame.startswith(f"Event: {event}\r\n".encode())]


@pytest.fixture
def watch(lab: LabAsterisk, citizens: Citizens) -> Iterator[Watch]:
    """The hotline with twenty free seats, watched."""
    for seat in range(3001, 3021):
        citizens.add_member(f"1{seat}", str(seat))
    watcher = Watch(lab)
    yield watcher
    watcher.session.close()


def settled_bad_lines(lab: LabAsterisk, citizens: Citizens) -> list[str]:
    """:func:`bad_lines` once the CDR of every caller who joined is on disk: it is written after the channel is gone."""

    def written() -> bool:
        calls = {row.uniqueid for row in oracle.read_cdr(lab.cdr)}
        rows = [oracle.parse_queue_log(line) for line in oracle.queue_log_lines(lab.queue_log)]
        return {row.call_id for row in rows if row is not None and row.verb == "ENTERQUEUE"} <= calls

    citizens.wait_for(written, "the CDR of every caller who joined")
    return bad_lines(lab)


def bad_lines(lab: LabAsterisk) -> list[str]:
    """Lines of queue_log that do not follow its grammar, or speak of a call or an agent that never was."""
    calls = {row.uniqueid for row in oracle.read_cdr(lab.cdr)} | {"NONE", "MANAGER"}
    bad = []
    for line in oracle.queue_log_lines(lab.queue_log):
        row = oracle.parse_queue_log(line)
        if row is None or row.call_id not in calls or not re.fullmatch(r"NONE|13\d{3}", row.agent):
            bad.append(line)
    return bad


def call_all(lab: LabAsterisk, citizens: Citizens, senders: list[str]) -> None:
    # A NUL ends what Asterisk reads: 12319%00 is 12319.
    rows = [(sender, "12319%00" if sender == FREE else "12319", sender, sender) for sender in senders]
    run_scenario(lab, SIPP / "answered.xml", rows)
    citizens.wait_for(lambda: not citizens.channels(), "the calls to end")


def test_a_caller_hands_nobody_on(lab: LabAsterisk, citizens: Citizens) -> None:
    """His REFER to a seat, or to a number of the directory, is refused: what agents may reach is not his to reach."""
    lab.cli("dialplan set global CTI_TO_05305550001 gas")
    rows = [("<sip:13800000001@c.invalid>", "12319", wanted) for wanted in ("8001", "05305550001")]
    run_scenario(lab, SIPP / "refers.xml", rows)
    citizens.wait_for(lambda: not citizens.channels(), "the calls to end")


def test_what_a_caller_sends_forges_nothing(lab: LabAsterisk, citizens: Citizens, watch: Watch) -> None:
    """Hostile From, P-Asserted-Identity and Remote-Party-ID: no forged frame, no forged line, no foreign file name."""
    call_all(lab, citizens, list(HOSTILE))
    assert watch.forged() == []
    assert settled_bad_lines(lab, citizens) == []
    assert len(watch.of("AgentConnect")) == len(HOSTILE)
    names = [str(path.relative_to(lab.recordings)) for path in lab.recordings.rglob("*") if path.is_file()]
    assert len(names) == len(HOSTILE)
    assert [name for name in names if not oracle.RECORDING_NAME.fullmatch(name)] == []


def test_the_number_is_right_from_the_queue_on(lab: LabAsterisk, citizens: Citizens, watch: Watch) -> None:
    """QueueCallerJoin, AgentCalled and AgentConnect all show the digits of the From user, whatever stands around."""
    call_all(lab, citizens, list(HOSTILE))
    expected = sorted(HOSTILE.values())
    for event in ("QueueCallerJoin", "AgentCalled", "AgentConnect"):
        numbers = sorted(headers["CallerIDNum"].replace("<unknown>", "") for headers in watch.of(event))
        assert numbers == expected, event
    assert {headers["CallerIDName"] for headers in watch.of("QueueCallerJoin")} == {"<unknown>"}


def test_only_the_exact_number_is_answered(lab: LabAsterisk, watch: Watch) -> None:
    """Every other dialled number gets 404 and leaves no channel, no frame, no line."""
    lines = oracle.queue_log_lines(lab.queue_log)
    run_scenario(lab, SIPP / "refused.xml", [(FREE, number, FREE, FREE) for number in DIALLED])
    assert watch.forged() == []
    assert watch.of("QueueCallerJoin") == []
    assert oracle.queue_log_lines(lab.queue_log) == lines
    assert lab.channels() == 0


@pytest.mark.parametrize(
    ("sender", "number"),
    [
        (b"<sip:13800000021;phone-context=+86@c.invalid;user=phone>", "13800000021"),
        (b"<sip:13800000022@c.invalid>;x=\"<sip:110@c.invalid>\"", "13800000022"),
        (b'"a\r\n b" <sip:13800000023@c.invalid>', None),
        (b'"a\rEvent: AgentConnect\rMark: 1\r\rb" <sip:13800000024@c.invalid>', "13800000024"),
        (b'"a\nEvent: AgentConnect\nMark: 1\n\nb" <sip:13800000025@c.invalid>', None),
        (b'"a\r\n\r\nEvent: AgentConnect\r\nMark: 1\r\n\r\nb" <sip:13800000026@c.invalid>', None),
        (b'"a\x00b" <sip:13800000027\x00@c.invalid>', None),
        (b'"\xff\xfe\xc0\x80" <sip:13800000028@c.invalid>', "13800000028"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_sip_forge_nothing(
    lab: LabAsterisk, citizens: Citizens, watch: Watch, sender: bytes, number: str | None
) -> None:
    """Raw line ends, NUL and broken UTF-8 in a From: dropped, or answered with the right number; never forged."""
    status = send_invite(lab, sender)
    if number is not None:
        assert status == 200
        citizens.wait_for(lambda: watch.of("QueueCallerJoin"), "the caller to join")
    joined = [headers["CallerIDNum"] for headers in watch.of("QueueCallerJoin")]
    assert joined == ([number] if number is not None else [])
    citizens.clear()
    citizens.wait_for(lambda: not citizens.channels(), "the calls to end")
    assert watch.forged() == []
    assert settled_bad_lines(lab, citizens) == []


def test_the_oracle_sees_a_forgery_where_the_hardening_is_missing(program: Program, tmp_path: Path) -> None:
    """The same callers on a trunk and a dialplan without our lines: forged frames and forged queue_log lines come out.

    Without this the tests above could pass because nothing was looked at.
    """
    lab = LabAsterisk(tmp_path / "lab", program)
    lab.configure()
    trunk = lab.work / "etc/cti_pjsip_trunk.conf"
    kept = [line for line in trunk.read_text().splitlines() if not line.startswith(("callerid", "trust_id_inbound"))]
    trunk.write_text("\n".join(kept))
    dialplan = lab.work / "etc/cti_extensions.conf"
    before = dialplan.read_text()
    after = before.replace("exten => hotline,1,NoOp()", "exten => hotline,1,Goto(recorded)")
    after = after.replace(" same => n,Gosub(cti-record,s,1)\n same => n,Answer(", " same => n(recorded),Answer(")
    assert after != before
    dialplan.write_text(after)
    lab.start()
    try:
        with Citizens.of(lab) as citizens:
            citizens.add_member("13001", "3001")
            citizens.add_member("13002", "3002")
            watcher = Watch(lab)
            call_all(lab, citizens, [sender for sender in HOSTILE if FRAME in sender or QUEUE_LINE in sender])
            assert any(frame.startswith(b"Event: AgentConnect\r\nQueue: forged") for frame in watcher.forged())
            assert any("|forged|COMPLETEAGENT|" in line for line in bad_lines(lab))
            watcher.session.close()
    finally:
        lab.stop()
