"""The command line: ``cti run | doctor | prove | rules | roles | demo | init | people``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console

from cti.clock import SystemClock
from cti.errors import BadInput, CtiError
from cti.settings import load_settings

app = typer.Typer(no_args_is_help=True, add_completion=True, pretty_exceptions_show_locals=False)
people_app = typer.Typer(no_args_is_help=True, help="Add people and shut them out. 人员")
app.add_typer(people_app, name="people")
out = Console()

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The settings file.")]
DEFAULT_CONFIG = Path("/etc/cti/config.toml")


def main() -> None:
    """Run a command; a fault is one line on standard error and exit status 1."""
    try:
        app()
    except CtiError as error:
        print(f"cti: {error}", file=sys.stderr)
        sys.exit(1)


def configure_logs(level: str) -> None:
    """JSON lines on standard error. Values are encoded, so a line break in one cannot forge a second line."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)r", stream=sys.stderr)


def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run *work* until it ends, or until SIGINT or SIGTERM cancels it.

    Raises:
        CtiError: the first fault that ended it.
    """

    async def run() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for sig in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sig, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    try:
        asyncio.run(run())
    except BaseExceptionGroup as group:
        faults = group.subgroup(CtiError)
        while faults is not None and isinstance(faults, BaseExceptionGroup):
            first = faults.exceptions[0]
            if isinstance(first, CtiError):
                raise first from group
            faults = first if isinstance(first, BaseExceptionGroup) else None
        raise


@app.command()
def run(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Run the service beside Asterisk. 运行服务"""
    from cti.app import run_service
    from cti.doctor.layout import layout_faults

    if faults := layout_faults():
        # Another package named like one of our folders would be run in its place.
        raise BadInput("installation", f"{'; '.join(faults)}: install the service in an environment of its own")
    settings = load_settings(config)
    configure_logs(settings.log_level)
    until_stopped(run_service(settings))


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to write config.toml and cti.conf.")] = Path("/etc/cti"),
) -> None:
    """Write a settings file and the AMI account for it, with one new secret in both. 初始化"""
    from cti.lab.asterisk import ASTERISK_CONF

    config, account = folder / "config.toml", folder / "cti.conf"
    for path in (config, account):
        if path.exists():
            raise BadInput(str(path), "is there already; nothing was written")
    secret = secrets.token_urlsafe(24)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in (
            (config, f"[ami]\nsecret = {json.dumps(secret)}\n"),
            (account, (ASTERISK_CONF / "manager.d/cti.conf").read_text().replace("CHANGE-ME", secret)),
        ):
            path.touch(mode=0o600)
            path.write_text(text)
    except OSError as error:
        raise BadInput(str(folder), f"cannot be written: {error.strerror}") from error
    print(f"{config}: the settings; docs/operating.md names the others")
    print(f"{account}: copy it to manager.d/ of Asterisk and run: asterisk -rx 'manager reload'")
    print(f"then: cti doctor --config {config}")


@people_app.command("add")
def people_add(
    number: Annotated[str, typer.Argument(help="Work number (工号), 2 to 8 digits.")],
    name: Annotated[str, typer.Argument(help="Name, as the lead sees it.")],
    role: Annotated[str, typer.Option(help="agent 话务员, lead 值班长, admin 管理员 or auditor 督查员.")] = "agent",
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Add a person. The PIN is read from standard input, never from the command line, which others can see."""
    from cti.store.db import Store
    from cti.store.people import Pins, add_person

    settings = load_settings(config)
    pin = typer.prompt("PIN", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().strip()

    async def work() -> None:
        store = await Store.open(settings.database)
        try:
            await add_person(store, Pins(), number, name, role, pin)
        finally:
            await store.close()

    asyncio.run(work())
    out.print(f"{number} added", markup=False)


@app.command()
def doctor(
    config: ConfigFile = DEFAULT_CONFIG, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Check that Asterisk and this machine give the service what it needs. 检查环境"""
    from cti.doctor import report, run_doctor

    findings = asyncio.run(run_doctor(load_settings(config), SystemClock()))
    sys.exit(report(findings, as_json, out))


@app.command()
def prove(
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: nothing but one line of JSON.")] = False,
    lab: Annotated[bool, typer.Option("--lab", help="Bring an Asterisk, a broker and a service up for it.")] = False,
) -> None:
    """One simulated call through the whole chain, on the live PBX. 拨测"""
    from cti.prove import prove_lab, prove_live

    def say(line: str) -> None:
        if not as_json:
            print(line, flush=True)

    configure_logs("ERROR")
    proof = prove_lab(say) if lab else asyncio.run(prove_live(load_settings(config), SystemClock(), say))
    if as_json or lab:
        print(json.dumps(proof.view(), ensure_ascii=False))
    sys.exit(0 if proof.ok else 1)


@app.command()
def rules(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="A settings file: its profile and house.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="A profile instead: hz-12319, or a path ending in .toml.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    doc: Annotated[bool, typer.Option("--doc", help="Print docs/regulations.md instead.")] = False,
) -> None:
    """What is in force and why: value, article, wording; and what is off. 执行中的条文"""
    from cti.app import load_profile
    from cti.rules import as_data, load_catalogue, render, show

    if doc:
        print(render(), end="")
        return
    if profile is not None and config is not None:
        raise BadInput("profile", "give --config or --profile, not both")
    hotline = None if profile is not None else load_settings(config or DEFAULT_CONFIG).hotline
    found = load_profile(profile or "") if hotline is None else load_profile(hotline.profile, hotline.house)
    if as_json:
        print(json.dumps(as_data(found, load_catalogue()), ensure_ascii=False, indent=1))
    else:
        show(found, load_catalogue(), out)


@app.command()
def roles() -> None:
    """Which role may use which route: docs/roles.md, read from the routes themselves. 角色与接口"""
    from cti.web.roles import shipped

    print(shipped(), end="")


@app.command()
def demo(
    pbx: Annotated[str | None, typer.Option(help="Drive the Asterisk on this host instead of starting one.")] = None,
    ami_user: Annotated[str, typer.Option(help="With --pbx: an AMI account that may originate.")] = "lab",
    ami_secret: Annotated[str, typer.Option(envvar="CTI_DEMO_SECRET", help="With --pbx: its secret.")] = "",
    auto: Annotated[bool, typer.Option(help="Sign the first agent in too.")] = False,
) -> None:
    """A hotline's day on a real Asterisk: seats, callers, sound. Ctrl-C ends all of it. 演示"""
    from cti.demo import run_demo

    sys.exit(run_demo(pbx, ami_user, ami_secret, auto))
