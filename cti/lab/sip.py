"""Callers over SIP: SIPp scenarios, and single datagrams for what SIPp cannot send."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cti.lab.asterisk import LabAsterisk
from cti.lab.errors import LabError
from cti.lab.tools import find

RATE = 5  # calls a second


def run_scenario(lab: LabAsterisk, scenario: Path, rows: Sequence[Sequence[str]], seconds: int = 30) -> None:
    """One call for each row of *rows*, whose cells are the scenario's fields (no ``;``, no line end in them).

    Raises:
        LabError: a call did not go as the scenario says; the message is SIPp's first complaint.
    """
    injection = lab.work / "sipp.csv"
    injection.write_text("SEQUENTIAL\n" + "".join(";".join(row) + "\n" for row in rows))
    errors = lab.work / "sipp-errors.log"
    result = subprocess.run(
        [
            *find("sipp"), f"127.0.0.1:{lab.sip_port}", "-sf", str(scenario), "-inf", str(injection),
            "-m", str(len(rows)), "-r", str(RATE), "-i", "127.0.0.1", "-p", str(lab.sipp_port), "-nostdin",
            "-timeout", f"{seconds}s", "-timeout_error", "-trace_err", "-error_file", str(errors),
        ],
        capture_output=True, text=True, errors="replace", check=False, cwd=lab.work, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if result.returncode:
        said = errors.read_text(errors="replace") if errors.exists() else result.stderr
        raise LabError(f"SIPp {scenario.name} ended with {result.returncode}: {said.strip()[:500]}")


def send_invite(lab: LabAsterisk, sender: bytes, dialled: bytes = b"12319", number: int = 1) -> int:
    """One INVITE as a single datagram, byte for byte, never acknowledged; the status of the last answer within 1 s.

    Args:
        lab: who is called.
        sender: the From header's value without its tag.
        dialled: the user part of the address.
        number: makes the dialogue unique.

    Returns:
        The SIP status, 0 when nothing came back: Asterisk drops what it cannot parse.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(1.0)
        here = b"127.0.0.1:%d" % phone.getsockname()[1]
        there = b"127.0.0.1:%d" % lab.sip_port
        body = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"
        head = [
            b"INVITE sip:%s@%s SIP/2.0" % (dialled, there), b"Via: SIP/2.0/UDP %s;branch=z9hG4bK%d" % (here, number),
            b"From: %s;tag=%d" % (sender, number), b"To: <sip:%s@%s>" % (dialled, there), b"Call-ID: raw-%d" % number,
            b"CSeq: 1 INVITE", b"Contact: <sip:raw@%s>" % here, b"Max-Forwards: 70",
            b"Content-Type: application/sdp", b"Content-Length: %d" % len(body),
        ]  # fmt: skip
        phone.sendto(b"\r\n".join(head) + b"\r\n\r\n" + body, ("127.0.0.1", lab.sip_port))
        status = 0
        while status < 200:
            try:
                status = int(phone.recv(65536).split(b" ", 2)[1])
            except TimeoutError:
                break
        return status
