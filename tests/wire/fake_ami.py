"""A scripted AMI peer: real bytes over loopback, faults on demand. Where it and Asterisk disagree, it is wrong.

``contract_ami.py`` holds it to what the real Asterisk does.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
STAMP = "1795284828.023507"
RIGHT = "right"

Headers = dict[str, str]


def frame(*headers: tuple[str, str]) -> bytes:
    """One frame of *headers* in order."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("utf-8", "surrogateescape") + b"\r\n"


def event(name: str, privilege: str = "agent,all", /, **headers: str) -> bytes:
    """An event as Asterisk starts one: Event, Privilege, Timestamp."""
    return frame(("Event", name), ("Privilege", privilege), ("Timestamp", STAMP), *headers.items())


def member_event(name: str, member: Headers) -> bytes:
    """A member event of the fake's hotline."""
    return event(name, **member, InCall="0", LastCall="0", LoginTime="1795284828", Wrapuptime="0")


def hangup(uniqueid: str = "1795284828.1") -> bytes:
    """Some fact that needs no queue."""
    return event("Hangup", "call,all", Channel="Local/1", Uniqueid=uniqueid, Linkedid=uniqueid, Cause="16")


@dataclass
class FakeAmi:
    """``async with FakeAmi() as peer``; change the attributes to make it misbehave."""

    secret: str = RIGHT
    booted: bool = True
    banner: bytes = BANNER
    """``b""``: a frozen Asterisk, which accepts and says nothing."""
    mute: bool = False
    """Reads and answers nothing any more: frozen, or the way back is cut."""
    unanswered: set[str] = field(default_factory=set)
    """Names of actions that are carried out in silence; their answers are kept in ``held``."""
    endless_lists: bool = False
    """Lists lack their last message."""
    dribble: int = 0
    """Bytes of one write; 0 writes a frame at once."""
    hangs_up: bool = False
    """Closes each connection before the banner, as Asterisk does past ``authlimit``."""
    actions: list[Headers] = field(default_factory=list)
    held: list[bytes] = field(default_factory=list)
    connections: int = 0
    members: dict[str, Headers] = field(default_factory=dict)
    port: int = 0
    _server: asyncio.Server | None = None
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> FakeAmi:
        await self.listen()
        return self

    async def __aexit__(self, *unused: object) -> None:
        await self.leave()

    @property
    def logins(self) -> int:
        return self.count("Login")

    def count(self, name: str) -> int:
        """How often the action was received."""
        return sum(action.get("Action") == name for action in self.actions)

    async def listen(self) -> None:
        """Open the port; the same one again after ``leave``."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def leave(self) -> None:
        """Close the port and every session, as a killed Asterisk does."""
        if self._server is not None:
            self._server.close()
        self.cut()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self, reset: bool = False) -> None:
        """End every session: FIN, or RST with *reset*."""
        for writer in self._writers:
            sock = writer.get_extra_info("socket")
            if reset and sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            writer.transport.abort() if reset else writer.close()
        self._writers.clear()

    def boot(self) -> None:
        """Finish booting."""
        self.booted = True
        self.say(frame(("Event", "FullyBooted"), ("Privilege", "system,all"), ("Uptime", "1"), ("LastReload", "1")))

    def say(self, data: bytes) -> None:
        """Write *data* to every session."""
        step = self.dribble or len(data)
        for writer in self._writers:
            for start in range(0, len(data), step):
                writer.write(data[start : start + step])

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._talk(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.hangs_up:
                return
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._writers.append(writer)
            writer.write(self.banner)
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                action = dict(line.split(": ", 1) for line in raw.decode().split("\r\n") if line)
                self.actions.append(action)
                self._answer(action, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            if writer in self._writers:
                self._writers.remove(writer)
            writer.close()

    def _answer(self, action: Headers, writer: asyncio.StreamWriter) -> None:
        name = action["Action"]
        answer = getattr(self, f"_on_{name.lower()}")(action)
        if self.mute:
            return
        if name in self.unanswered:
            self.held.append(answer)
            return
        self.say(answer)
        if name == "Login":
            if action["Secret"] != self.secret:
                writer.close()
            elif self.booted:
                self.boot()

    def _reply(self, action: Headers, good: bool, message: str, **more: str) -> bytes:
        result = ("Response", "Success" if good else "Error")
        return frame(result, ("ActionID", action["ActionID"]), *more.items(), ("Message", message))

    def _list(self, action: Headers, message: str, done: str, items: list[tuple[tuple[str, str], ...]]) -> bytes:
        own = ("ActionID", action["ActionID"])
        parts = [frame(("Response", "Success"), own, ("EventList", "start"), ("Message", message))]
        parts += [frame(*item, own) for item in items]
        if not self.endless_lists:
            parts.append(frame(("Event", done), own, ("EventList", "Complete"), ("ListItems", str(len(items)))))
        return b"".join(parts)

    def _on_login(self, action: Headers) -> bytes:
        good = action["Secret"] == self.secret
        return self._reply(action, good, "Authentication accepted" if good else "Authentication failed")

    def _on_ping(self, action: Headers) -> bytes:
        own = ("ActionID", action["ActionID"])
        return frame(("Response", "Success"), own, ("Ping", "Pong"), ("Timestamp", "1795284828.000001"))

    def _on_queueadd(self, action: Headers) -> bytes:
        if action["Queue"] != "hotline":
            return self._reply(action, False, "Unable to add interface to queue: No such queue")
        if action["Interface"] in self.members:
            return self._reply(action, False, "Unable to add interface: Already there")
        member = {
            "Queue": "hotline", "MemberName": action["MemberName"], "Interface": action["Interface"], "Status": "1",
            "Paused": "1" if action["Paused"] == "true" else "0", "PausedReason": action.get("Reason", ""),
        }  # fmt: skip
        self.members[action["Interface"]] = member
        return self._reply(action, True, "Added interface to queue") + member_event("QueueMemberAdded", member)

    def _on_queueremove(self, action: Headers) -> bytes:
        member = self.members.pop(action["Interface"], None)
        if member is None:
            return self._reply(action, False, "Unable to remove interface: Not there")
        return self._reply(action, True, "Removed interface from queue") + member_event("QueueMemberRemoved", member)

    def _on_queuepause(self, action: Headers) -> bytes:
        member = self.members.get(action["Interface"])
        if member is None:
            return self._reply(action, False, "Interface not found")
        paused = action["Paused"] == "true"
        member.update(Paused="1" if paused else "0", PausedReason=action.get("Reason", ""))
        told = f"Interface {'' if paused else 'un'}paused successfully"
        return self._reply(action, True, told) + member_event("QueueMemberPause", member)

    def _on_queuestatus(self, action: Headers) -> bytes:
        items: list[tuple[tuple[str, str], ...]] = []
        if action.get("Queue", "hotline") == "hotline":
            items.append(
                (("Event", "QueueParams"), ("Queue", "hotline"), ("Strategy", "rrmemory"), ("Calls", "0")),
            )
            items += [self._member_item(member) for member in self.members.values()]
        return self._list(action, "Queue status will follow", "QueueStatusComplete", items)

    def _member_item(self, member: Headers) -> tuple[tuple[str, str], ...]:
        return (
            ("Event", "QueueMember"), ("Queue", member["Queue"]), ("Name", member["MemberName"]),
            ("Location", member["Interface"]), ("LastCall", "0"), ("LoginTime", "1795284828"), ("InCall", "0"),
            ("Status", member["Status"]), ("Paused", member["Paused"]), ("PausedReason", member["PausedReason"]),
            ("Wrapuptime", "0"),
        )  # fmt: skip

    def _on_coreshowchannels(self, action: Headers) -> bytes:
        return self._list(action, "Channels will follow", "CoreShowChannelsComplete", [])

    def _on_coresettings(self, action: Headers) -> bytes:
        own = ("ActionID", action["ActionID"])
        return frame(("Response", "Success"), own, ("AsteriskVersion", "22.10.1"), ("SystemName", ""))

    def _on_corestatus(self, action: Headers) -> bytes:
        own = ("ActionID", action["ActionID"])
        started = (("CoreStartupDate", "2026-11-21"), ("CoreStartupTime", "18:13:47"))
        return frame(("Response", "Success"), own, *started)

    def _on_originate(self, action: Headers) -> bytes:
        taken = self._reply(action, True, "Originate successfully queued")
        if action["Channel"].endswith("@nowhere"):
            return self._reply(action, False, "Extension does not exist")
        return taken + event(
            "OriginateResponse", "call,all", ActionID=action["ActionID"], Response="Success", Reason="4",
            Uniqueid=action["ChannelId"],
        )  # fmt: skip
