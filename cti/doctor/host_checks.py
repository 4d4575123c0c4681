"""Checks of this machine and the files that Asterisk writes on it. Facts in, findings out."""

from __future__ import annotations

from collections.abc import Iterator

from cti.doctor.asking import INTERFACE
from cti.doctor.facts import Facts, FileFacts, FolderFacts
from cti.doctor.findings import Finding, Level, good

SHORTEST_SECRET = 16
LOW_SPACE = 1_000_000_000
NO_SPACE = 100_000_000


def check_layout(facts: Facts) -> Iterator[Finding]:
    """The folders that Python imports are ours."""
    for fault in facts.host.layout:
        yield Finding(
            "layout",
            Level.FAIL,
            f"程序目录被其他软件包占用：{fault}",
            f"another package is imported: {fault}",
            "在独立的虚拟环境中重新安装",
            "install again into a virtual environment of its own",
        )
    if not facts.host.layout:
        yield good("layout", "程序目录正确", "the imported folders are ours")


def check_profile(facts: Facts) -> Iterator[Finding]:
    """The hotline's rules load and their time zone is known."""
    if facts.host.profile:
        yield Finding(
            "profile",
            Level.FAIL,
            f"热线规则不能加载：{facts.host.profile}",
            f"the hotline's rules do not load: {facts.host.profile}",
            "改正 hotline.profile，或 apt-get install tzdata",
            "correct hotline.profile, or apt-get install tzdata",
        )
    else:
        yield good("profile", "热线规则与时区正确", "rules and time zone load")


def check_workdays(facts: Facts) -> Iterator[Finding]:
    """The calendar of working days loads, and knows the make-up days of this year and, late in it, of the next."""
    if facts.host.workdays:
        yield Finding(
            "workdays", Level.FAIL,
            f"工作日历不能加载：{facts.host.workdays}", f"the working days do not load: {facts.host.workdays}",
            "改正 hotline.workdays 文件", "correct the file of hotline.workdays",
        )  # fmt: skip
    for year in facts.host.without_makeup:
        yield Finding(
            "workdays", Level.WARN,
            f"缺少{year}年调休上班日：工作日时限可能算错",
            f"the make-up days of {year} are missing: deadlines may be wrong",
            f"更新 holidays 库，或把国务院公布的{year}年放假和上班日写入 hotline.workdays",
            f"update the library holidays, or write the days proclaimed for {year} into hotline.workdays",
        )  # fmt: skip
    if not facts.host.workdays and not facts.host.without_makeup:
        yield good("workdays", "工作日历完整", "holidays and make-up days are known")


def check_secret(facts: Facts) -> Iterator[Finding]:
    """The AMI secret is not the shipped one and not short."""
    cure = (
        "在 manager.d/cti.conf 和设置文件中换成 16 位以上的随机串",
        "put 16 or more random characters into manager.d/cti.conf and the settings",
    )
    if facts.host.secret_shipped:
        yield Finding("secret", Level.FAIL, "AMI 密钥仍是随附的 CHANGE-ME", "the AMI secret is still CHANGE-ME", *cure)
    elif facts.host.secret_length < SHORTEST_SECRET:
        yield Finding(
            "secret",
            Level.WARN,
            f"AMI 密钥只有{facts.host.secret_length}位",
            f"the AMI secret has only {facts.host.secret_length} characters",
            *cure,
        )
    else:
        yield good("secret", "AMI 密钥足够长", "the AMI secret is long enough")


def check_queue_log(facts: Facts) -> Iterator[Finding]:
    """queue_log is the file this Asterisk writes, names agents and can be read."""
    if facts.queue_log.trouble:
        yield _unreadable("queue_log", facts.queue_log)
    elif facts.ami.member_event and not facts.ami.member_log:
        yield Finding(
            "queue_log",
            Level.FAIL,
            f"Asterisk 没有写入 {facts.queue_log.path}",
            f"Asterisk does not write {facts.queue_log.path}",
            "核对 asterisk.queue_log；logger.conf 中 queue_log = yes",
            "compare asterisk.queue_log; queue_log = yes in logger.conf",
        )
    elif INTERFACE in facts.ami.member_log:
        yield Finding(
            "queue_log",
            Level.FAIL,
            "queue_log 记的是接口，不是工号",
            "queue_log names interfaces, not agents",
            "queues.conf [general] 中 log_membername_as_agent = yes",
            "log_membername_as_agent = yes in queues.conf [general]",
        )
    else:
        yield good("queue_log", "queue_log 可读", "queue_log can be read")


def check_records(facts: Facts) -> Iterator[Finding]:
    """CDR and CEL can be read and hold the newest finished call."""
    for name, file in (("cdr", facts.cdr), ("cel", facts.cel)):
        include = f"{name}_custom.conf"
        if file.trouble:
            yield _unreadable(name, file)
        elif file.has_last_call is False:
            yield Finding(
                name,
                Level.FAIL,
                f"{file.path} 缺少最近的通话",
                f"{file.path} lacks the newest call",
                f"在 {include} 中 #include cti_{include}，并加载模块 {name}_custom.so",
                f"#include cti_{include} in {include}, and load the module {name}_custom.so",
            )
        else:
            yield good(name, f"{name.upper()} 可读", f"{name.upper()} can be read")


def _unreadable(check: str, file: FileFacts) -> Finding:
    # Asterisk makes the CDR and CEL files with the first call.
    level = Level.UNKNOWN if file.trouble == "No such file or directory" and check != "queue_log" else Level.FAIL
    return Finding(
        check,
        level,
        f"{file.path}：{file.trouble}",
        f"{file.path}: {file.trouble}",
        "打一个电话；把服务账号加入 asterisk 组；核对设置文件的 [asterisk]",
        "place a call; put the service's account into the group asterisk; compare [asterisk] of the settings",
    )


def check_folders(facts: Facts) -> Iterator[Finding]:
    """Recordings can be read, the database written, and there is space."""
    yield from _folder(
        "recordings",
        facts.recordings,
        "usermod -aG asterisk cti；建立该目录，属主 asterisk，权限 2750",
        "usermod -aG asterisk cti; make the folder, owner asterisk, mode 2750",
    )
    yield from _folder(
        "database",
        facts.database,
        "建立该目录，属主为服务账号，权限 0700",
        "make the folder, owned by the service's account, mode 0700",
    )


def _folder(check: str, folder: FolderFacts, cure_zh: str, cure_en: str) -> Iterator[Finding]:
    free = f"{folder.free / 1e9:.1f} GB"
    if folder.trouble:
        yield Finding(
            check, Level.FAIL, f"{folder.path}：{folder.trouble}", f"{folder.path}: {folder.trouble}", cure_zh, cure_en
        )
    elif folder.free < LOW_SPACE:
        level = Level.FAIL if folder.free < NO_SPACE else Level.WARN
        yield Finding(
            check,
            level,
            f"{folder.path} 只剩 {free}",
            f"{folder.path} has only {free} left",
            "清出空间：磁盘满时 Asterisk 会截短录音",
            "free some space: on a full disk Asterisk cuts recordings short",
        )
    else:
        yield good(check, f"{folder.path} 可用，剩余 {free}", f"{folder.path} can be used, {free} free")


def check_agi(facts: Facts) -> Iterator[Finding]:
    """The port for the phone's feature codes."""
    if facts.host.agi in ("free", "answers"):
        zh, en = ("有应答", "answers") if facts.host.agi == "answers" else ("空闲", "is free")
        yield good("agi", f"FastAGI 端口 {facts.agi_address} {zh}", f"the FastAGI port {facts.agi_address} {en}")
    else:
        yield Finding(
            "agi",
            Level.FAIL,
            f"FastAGI 端口 {facts.agi_address}：{facts.host.agi}",
            f"the FastAGI port {facts.agi_address}: {facts.host.agi}",
            "改 agi.host 或 agi.port，并同样改 cti_extensions.conf 的 CTI_AGI",
            "change agi.host or agi.port, and CTI_AGI of cti_extensions.conf with it",
        )


def check_web(facts: Facts) -> Iterator[Finding]:
    """Pages on the network are https: browsers refuse notifications on plain http."""
    if facts.host.web_loopback or facts.host.web_tls:
        yield good("https", "页面访问方式恰当", "the pages are served safely")
    else:
        yield Finding(
            "https",
            Level.WARN,
            "页面在网络上以明文 http 提供",
            "the pages are on the network over plain http",
            "设置 web.certificate 和 web.key",
            "set web.certificate and web.key",
        )
