"""Checks of Asterisk: its rights, queue, events, dialplan, clock and configuration. Facts in, findings out."""

from __future__ import annotations

from collections.abc import Iterator

from cti.doctor.asking import CONTEXTS
from cti.doctor.facts import Facts
from cti.doctor.findings import Finding, Level, good

NEEDED = ("QueueAdd", "QueueRemove", "QueuePause", "QueueStatus", "Originate", "Hangup", "CoreShowChannels")
TOO_WIDE = {"command": "Command", "config": "UpdateConfig", "system": "MixMonitor", "user": "UserEvent"}
"""Class of manager.conf -> an action that only its holders may send."""
LONGEST_WRITE_MS = 100  # a stalled client with 30,000 ms blocked every new login for about 60 s (Asterisk 22.10)
MOST_OFFSET_S = 1.0


def check_reachable(facts: Facts) -> Iterator[Finding]:
    """Asterisk answers and accepts the account."""
    if facts.ami.refused:
        yield Finding(
            "ami",
            Level.FAIL,
            f"Asterisk 拒绝账号 {facts.account}",
            f"Asterisk refuses the account {facts.account}",
            "核对 manager.d/cti.conf 的名称、密钥和 permit，然后 asterisk -rx 'manager reload'",
            "compare name, secret and permit in manager.d/cti.conf, then asterisk -rx 'manager reload'",
        )
    elif facts.ami.unreachable:
        yield Finding(
            "ami",
            Level.FAIL,
            f"AMI 不通：{facts.ami.unreachable}",
            facts.ami.unreachable,
            "启动 Asterisk；manager.conf 中 enabled = yes；核对 ami.host 和 ami.port",
            "start Asterisk; enabled = yes in manager.conf; compare ami.host and ami.port",
        )
    else:
        yield good("ami", f"已登录 Asterisk {facts.ami.version}", f"logged in to Asterisk {facts.ami.version}")


def check_rights(facts: Facts) -> Iterator[Finding]:
    """The account may do what the service does, and little more."""
    if facts.ami.unreachable:
        return
    lacking = [action for action in NEEDED if action not in facts.ami.commands]
    if lacking:
        yield Finding(
            "rights",
            Level.FAIL,
            f"账号无权：{'、'.join(lacking)}",
            f"the account may not {', '.join(lacking)}",
            "write = agent,originate,reporting,call（见 asterisk-conf/manager.d/cti.conf）",
            "write = agent,originate,reporting,call (see asterisk-conf/manager.d/cti.conf)",
        )
    wide = [name for name, action in TOO_WIDE.items() if action in facts.ami.commands]
    if wide:
        yield Finding(
            "rights_wide",
            Level.WARN,
            f"账号权限过大：{'、'.join(wide)}",
            f"the account has more rights than needed: {', '.join(wide)}",
            "从 write 中去掉它们，也不要写 all",
            "take them out of write, and do not write all",
        )
    if not lacking and not wide:
        yield good("rights", "账号权限恰当", "the account's rights are right")


def check_queue(facts: Facts) -> Iterator[Finding]:
    """The queue of the settings exists."""
    if facts.ami.unreachable:
        return
    if facts.ami.queue:
        yield good("queue", f"队列 {facts.queue} 存在", f"queue {facts.queue} exists")
    else:
        yield Finding(
            "queue",
            Level.FAIL,
            f"没有队列 {facts.queue}",
            f"there is no queue {facts.queue}",
            "在 queues.conf 中 #include cti_queues.conf，然后 asterisk -rx 'queue reload all'",
            "#include cti_queues.conf in queues.conf, then asterisk -rx 'queue reload all'",
        )


def check_events(facts: Facts) -> Iterator[Finding]:
    """Queue events arrive, with microsecond timestamps."""
    if facts.ami.unreachable or not facts.ami.queue:
        return
    if not facts.ami.member_event:
        yield Finding(
            "events",
            Level.FAIL,
            "收不到队列事件",
            "queue events do not arrive",
            "read = call,agent,system，并保留 cti.conf 的 eventfilter 行",
            "read = call,agent,system, and keep the eventfilter lines of cti.conf",
        )
    elif not facts.ami.member_stamped:
        yield Finding(
            "timestamps",
            Level.FAIL,
            "事件没有时间戳",
            "events carry no Timestamp",
            "manager.conf [general] 中 timestampevents = yes，然后 manager reload",
            "timestampevents = yes in manager.conf [general], then manager reload",
        )
    else:
        yield good("events", "事件按时到达并带时间戳", "events arrive and carry timestamps")


def check_dialplan(facts: Facts) -> Iterator[Finding]:
    """Our contexts are loaded."""
    if facts.ami.unreachable:
        return
    if facts.ami.contexts is None:
        yield Finding(
            "dialplan",
            Level.UNKNOWN,
            "无权查看拨号方案",
            "the dialplan may not be looked at",
            "write 中加 reporting",
            "add reporting to write",
        )
        return
    lacking = [name for name in CONTEXTS if name not in facts.ami.contexts]
    if lacking:
        yield Finding(
            "dialplan",
            Level.FAIL,
            f"拨号方案缺少：{'、'.join(lacking)}",
            f"the dialplan lacks {', '.join(lacking)}",
            "extensions.conf（FreePBX：extensions_custom.conf）中 #include cti_extensions.conf，再 dialplan reload",
            "#include cti_extensions.conf in extensions.conf (FreePBX: extensions_custom.conf), then dialplan reload",
        )
    else:
        yield good("dialplan", "拨号方案已加载", "the dialplan is loaded")


def check_clock(facts: Facts) -> Iterator[Finding]:
    """Asterisk's clock and ours agree."""
    offset = facts.ami.offset_s
    if offset is None:
        return
    if abs(offset) < MOST_OFFSET_S:
        yield good("clock", f"时钟相差{offset * 1000:.0f}毫秒", f"the clocks differ by {offset * 1000:.0f} ms")
    else:
        yield Finding(
            "clock",
            Level.FAIL,
            f"与 Asterisk 的时钟相差{offset:.1f}秒",
            f"Asterisk's clock differs by {offset:.1f} s",
            "两台机器都用 chrony 对时，只渐调、不跳变",
            "run chrony on both machines; slew, never step",
        )


def check_config(facts: Facts) -> Iterator[Finding]:
    """What Asterisk's configuration files say, where they can be read."""
    config = facts.config
    if config.write_timeouts is None:
        yield Finding(
            "manager_conf",
            Level.UNKNOWN,
            "未能读取 manager.conf",
            "manager.conf could not be read",
            "以 root 运行一次 cti doctor",
            "run cti doctor once as root",
        )
    else:
        slow = {name: ms for name, ms in config.write_timeouts.items() if ms > LONGEST_WRITE_MS}
        for name, ms in slow.items():
            yield Finding(
                "writetimeout",
                Level.FAIL,
                f"账号 {name} 的 writetimeout 为{ms}毫秒",
                f"writetimeout of account {name} is {ms} ms",
                "改为 100：更长时一个停滞的客户端会挡住所有登录",
                "set it to 100: with more, one stalled client blocks every login",
            )
        if not slow:
            yield good("writetimeout", "writetimeout 不超过100毫秒", "writetimeout is at most 100 ms")
    if config.web_enabled:
        yield Finding(
            "webenabled",
            Level.WARN,
            "AMI 可经 HTTP 访问",
            "AMI is open over HTTP",
            "manager.conf 中 webenabled = no",
            "webenabled = no in manager.conf",
        )
    if config.persistent_members is None:
        yield Finding(
            "queues_conf",
            Level.UNKNOWN,
            "未能读取 queues.conf",
            "queues.conf could not be read",
            "以 root 运行一次 cti doctor",
            "run cti doctor once as root",
        )
    elif not config.persistent_members:
        yield Finding(
            "persistentmembers",
            Level.FAIL,
            "Asterisk 重启会丢失已签入的话务员",
            "signed-in agents are lost when Asterisk restarts",
            "queues.conf [general] 中 persistentmembers = yes",
            "persistentmembers = yes in queues.conf [general]",
        )
    else:
        yield good("persistentmembers", "话务员签入在重启后保留", "signed-in agents outlive a restart")


def check_ring(facts: Facts) -> Iterator[Finding]:
    """Whether Asterisk goes on to the next agent when the rules want it to: no action changes ``timeout``."""
    ring, wanted, queue = facts.config.ring_s, facts.host.ring_next_s, facts.queue
    if ring is None or wanted is None:
        return
    if ring == wanted:
        yield good("ring_next", f"振铃{ring}秒未接即转下一坐席", f"the next agent is rung after {ring} s")
        return
    yield Finding(
        "ring_next",
        Level.WARN,
        f"队列 {queue} 振铃{ring}秒才转下一坐席，规则为{wanted:g}秒",
        f"queue {queue} rings for {ring} s before the next agent, the rules say {wanted:g} s",
        f"[{queue}] 中 timeout = {wanted:g}，或改 escalate.ring_next_after，然后 asterisk -rx 'queue reload all'",
        f"timeout = {wanted:g} in [{queue}], or change escalate.ring_next_after; then asterisk -rx 'queue reload all'",
    )


def check_wrap_up(facts: Facts) -> Iterator[Finding]:
    """Whether agents see the wrap-up that Asterisk gives them: the figure is set twice (docs/adr/0005)."""
    given, shown, queue = facts.config.wrap_up_s, facts.host.wrap_up_s, facts.queue
    if given is None:
        return
    if given == shown:
        yield good("wrap_up", f"话后整理与队列一致，{given}秒", f"the pages show the queue's wrap-up, {given} s")
        return
    yield Finding(
        "wrap_up",
        Level.WARN,
        f"队列 {queue} 话后整理{given}秒，页面显示{shown:g}秒",
        f"queue {queue} gives {given} s of wrap-up, the pages show {shown:g} s",
        f"hotline.wrap_up_s = {given}，或 [{queue}] 中 wrapuptime = {shown:g}",
        f"hotline.wrap_up_s = {given}, or wrapuptime = {shown:g} in [{queue}]",
    )
