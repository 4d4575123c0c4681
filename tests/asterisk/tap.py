"""A wire between the service and Asterisk's manager that can be cut right before or right after an Originate."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

ORIGINATE = b"Action: Originate\r\n"


class Tap:
    """Listens on a free port and passes everything on, until ``cut`` is set.

    Attributes:
        cut: "before": the next Originate is not passed on, nor anything after it; "after": it is passed on, and no
            answer to it comes back; "": everything passes.
        seen: set when that Originate has come.
    """

    def __init__(self, ami_port: int) -> None:
        self.ami_port, self.cut, self.seen = ami_port, "", threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """No more connections."""
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                service, _ = self._listener.accept()
                asterisk = socket.create_connection(("127.0.0.1", self.ami_port))
                for source, sink, ours in ((service, asterisk, True), (asterisk, service, False)):
                    threading.Thread(target=self._pump, args=(source, sink, ours), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, ours: bool) -> None:
        silent = False
        with suppress(OSError), source, sink:
            while data := source.recv(65536):
                caught = ours and self.cut != "" and ORIGINATE in data
                silent = silent or (caught and self.cut == "before") or (not ours and self.seen.is_set())
                if not silent:
                    sink.sendall(data)
                if caught:
                    self.seen.set()
