"""Citizens' phones at the far end of a SIP trunk, which say what Local channels cannot: rejected, out of reach."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress

from cti.lab.asterisk import LabAsterisk

SAYS = {
    "5": (180, 603), "6": (603,), "7": (503,), "8": (486,),
}  # fmt: skip
WORDS = {180: "Ringing", 603: "Decline", 503: "Service Unavailable", 486: "Busy Here"}


class Phones:
    """Answers each INVITE by the last digit of the number: 5 rings and rejects, 6 rejects, 7 no network, 8 busy."""

    def __init__(self, lab: LabAsterisk) -> None:
        self.invited: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", lab.sipp_port))
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Hang up for good."""
        self._socket.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                data, sender = self._socket.recvfrom(65536)
                found = re.match(rb"INVITE sip:(\d+)@", data)
                if found is not None:
                    number = found[1].decode()
                    if number not in self.invited:
                        self.invited.append(number)
                    for status in SAYS[number[-1]]:
                        self._socket.sendto(_answer(data, status), sender)


def _answer(invite: bytes, status: int) -> bytes:
    kept = [
        line for line in invite.split(b"\r\n") if re.match(rb"(Via|From|To|Call-ID|CSeq):", line, re.IGNORECASE)
    ]  # fmt: skip
    lines = [line + b";tag=far" if line.lower().startswith(b"to:") else line for line in kept]
    return b"\r\n".join([b"SIP/2.0 %d %s" % (status, WORDS[status].encode()), *lines, b"Content-Length: 0", b"", b""])
