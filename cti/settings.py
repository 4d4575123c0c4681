"""What a site sets, in one TOML file. An unknown key or a wrong value stops the start and names its dotted path."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from cti.errors import BadInput
from queues.kinds import KINDS

Port = Annotated[int, Field(ge=1, le=65535)]


def _kind(code: str) -> str:
    if code not in KINDS:
        raise ValueError(f"one of {', '.join(KINDS)} is needed")
    return code


KindCode = Annotated[str, AfterValidator(_kind)]


class _Topic(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class AmiSettings(_Topic):
    """The one AMI session (asterisk-conf/manager.d/cti.conf)."""

    host: str = "127.0.0.1"
    """Where Asterisk's manager listens. AMI is not encrypted: loopback, or a network of your own."""
    port: Port = 5038
    username: str = "cti"
    secret: str = Field(min_length=1, repr=False)
    action_timeout_s: float = Field(default=5.0, gt=0, le=60)
    """Seconds after which an unanswered action fails."""
    system_name: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,40}$")
    """Asterisk's systemname (asterisk.conf): a second wall against events forged by callers. Best random and secret."""


class AgiSettings(_Topic):
    """FastAGI: sign-in from the phone."""

    host: str = "127.0.0.1"
    port: Port = 4573


class AsteriskSettings(_Topic):
    """The files that Asterisk writes: the oracle that tells what happened while the service was away."""

    queue_log: Path = Path("/var/log/asterisk/queue_log")
    cdr: Path = Path("/var/log/asterisk/cdr-custom/cti.csv")
    cel: Path = Path("/var/log/asterisk/cel-custom/cti.csv")
    recordings: Path = Path("/var/spool/asterisk/monitor/cti")


class BusyReason(_Topic):
    """One of the reasons that an agent may give for 示忙."""

    zh: str = Field(min_length=1, max_length=20)
    en: str = Field(min_length=1, max_length=40)
    counted: bool = False
    """Whether its time is added up for each agent and day: a break is, work away from the phone is not."""
    rotates: bool = False
    """Whether it waits in the break line (离岗轮席) when too few seats would stay manned."""


class Named(_Topic):
    """What something of the site's own is called."""

    zh: str = Field(min_length=1, max_length=20)
    en: str = Field(min_length=1, max_length=40)


BusyCode = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]
Prefix = Annotated[str, Field(pattern=r"^[0-9]{1,8}$")]
BUSY_REASONS = {
    "break": BusyReason(zh="离岗休息", en="Break", counted=True, rotates=True),
    "meal": BusyReason(zh="用餐", en="Meal", counted=True, rotates=True),
    "ticket": BusyReason(zh="处理工单", en="Ticket work"),
    "meeting": BusyReason(zh="会议", en="Meeting"),
    "training": BusyReason(zh="培训", en="Training"),
}


class HotlineSettings(_Topic):
    """The hotline and its queue."""

    profile: str = "hz-12319"
    """A file of regulations/, without .toml; or the path of a profile of the site's own."""
    house: Path | None = None
    """A file of figures that replace the profile's or add to them; each says ``basis = "house"``, or ``off = true``."""
    workdays: Path | None = None
    """A file of days off and of make-up days (cti/workdays.py), over the public holidays that are known anyway."""
    queue: str = Field(default="hotline", pattern=r"^[A-Za-z0-9_-]{1,40}$")
    seat_interface: str = "PJSIP/{seat}"
    """The seat's queue interface. FreePBX: ``Local/{seat}@from-queue/n``."""
    seat_state_interface: str = ""
    """Where its device state is seen, when elsewhere. FreePBX: ``hint:{seat}@ext-local``."""
    seat_pattern: str = r"^[0-9]{2,8}$"
    """What a seat number may look like."""
    wrap_up_s: float = Field(default=5.0, ge=0, le=600)
    """Wrap-up shown after a call; the same figure as wrapuptime in cti_queues.conf, which enforces it."""
    areas: dict[BusyCode, Named] = Field(default={}, max_length=200)
    """The areas (片区) that tickets, duty phones and outage notices speak of: code -> name."""
    area_prefixes: dict[BusyCode, Annotated[list[Prefix], Field(max_length=8)]] = Field(default={}, max_length=200)
    """Area -> how the numbers of its callers begin, as the trunk delivers them: who hears its outage notice."""
    emergency_words: list[Annotated[str, Field(min_length=2, max_length=20)]] = Field(
        default=[
            "漏气", "燃气味", "煤气味", "爆管", "爆裂", "爆炸", "着火", "火灾", "塌陷", "触电", "中毒",
            "gas leak", "smell of gas", "burst", "explosion", "on fire", "collapse",
        ], max_length=100,
    )  # fmt: skip
    """Words that make a ticket an emergency when they are typed into its notes, in any case."""
    busy_reasons: dict[BusyCode, BusyReason] = Field(default=BUSY_REASONS, min_length=1)
    """Code -> what the reasons for 示忙 are called, and what they count as. The first is what a phone's *52 gives."""


class CallbackSettings(_Topic):
    """Calling citizens back."""

    ring_s: float = Field(default=30.0, gt=0, le=120)
    """How long the caller's phone rings: CTI_RING_SECONDS of cti_extensions.conf."""
    agent_ring_s: float = Field(default=20.0, gt=0, le=60)
    in_flight: int = Field(default=10, ge=1, le=10)
    """Originates at the same time; more only adds latency (design, decision 12)."""
    retry_agent_s: float = Field(default=60.0, gt=0)
    """Wait before trying again when the agent was not free or did not pick up: the caller was never rung."""
    handling_s: float = Field(default=180.0, ge=30, le=900)
    """What one callback takes an agent, with reading and writing: how many are put into a quarter-hour."""
    area_code: str = Field(default="0530", pattern=r"^0[0-9]{2,3}$")
    """Put before local numbers of seven or eight digits."""
    allow: list[Annotated[str, Field(pattern=r"^(fixed|mobile|shared|toll_free|service|[0-9]{2,11})$")]] = Field(
        default=["fixed", "mobile"], max_length=50
    )
    """Whom callbacks may ring: classes, and prefixes such as ``95588``. Emergency numbers and abroad are never rung."""
    inbound_first: int = Field(default=0, ge=0, le=50)
    """Callbacks are dialled while at most this many callers wait; the lead may change it for the day."""
    agent_hourly: int = Field(default=40, ge=1, le=1000)
    """The most attempts of one agent within an hour."""
    hourly: int = Field(default=600, ge=1, le=100_000)
    """The most attempts of the hotline within an hour."""
    number_daily: int = Field(default=8, ge=1, le=100)
    """The most attempts to one number within 24 hours, whatever they were about."""
    number_open: int = Field(default=3, ge=1, le=100)
    """The most open callbacks to one number, of callers at different extensions; a further request is refused."""
    recording_hold_s: float = Field(default=300.0, gt=0, le=86_400)
    """After a callback that was not recorded, none is dialled for this long."""
    recording_free_mb: int = Field(default=200, ge=0)
    """Free space, in MiB, that the recordings folder needs; with less no callback is dialled."""

    @property
    def longest_ring(self) -> timedelta:
        """From the dial to the end of the caller's ring: the agent's phone rings first."""
        return timedelta(seconds=self.agent_ring_s + self.ring_s)


class MqttSettings(_Topic):
    """The broker; none is needed."""

    host: str = ""
    """Empty: no broker."""
    port: Port = 1883
    username: str = ""
    password: str = Field(default="", repr=False)
    version: str = Field(default="5", pattern=r"^(3\.1\.1|5)$")
    prefix: str = Field(default="cti", pattern=r"^[a-z0-9_-]+(/[a-z0-9_-]+)*$")
    site: str = Field(default="main", pattern=r"^[a-z0-9_-]+$")


class ZammadSettings(_Topic):
    """Zammad's generic CTI (docs/sinks.md). It hears callers' numbers: that is what it is for, so it is off by default.

    The address has Zammad's token in it, which is its only lock: keep the file unreadable to others, or set it in the
    environment as ``CTI_ZAMMAD__URL``.
    """

    url: str = Field(default="", max_length=500, repr=False, pattern=r"^(https?://[!-~]+)?$")
    """Admin, Integrations, CTI (generic), Endpoint: ``https://zammad.example.org/api/v1/cti/<token>``. Empty: off."""
    plain_http: bool = False
    """Whether http will do although Zammad is not on this machine."""
    line: str = Field(default="12319", pattern=r"^[0-9]{3,20}$")
    """The hotline's own number, as Zammad is to show it."""
    webhook_secret: str = Field(default="", max_length=200, repr=False, pattern=r"^([!-~]{16,})?$")
    """Admin, Webhook, HMAC SHA1 Signature Token, at least 16 characters. Empty: closed tickets are not taken."""
    kinds: dict[Annotated[str, Field(min_length=1, max_length=160)], KindCode] = Field(default={}, max_length=200)
    """Name of a group in Zammad -> our kind (queues/kinds.py). A ticket of another group has none."""


class WebhookSettings(_Topic):
    """Where webhooks may go. The subscriptions themselves are the administrator's (POST /api/v1/sinks)."""

    hosts: list[Annotated[str, Field(pattern=r"^[a-z0-9.:-]{1,253}$")]] = Field(default=[], max_length=50)
    """Host names or addresses of the site's own network: there a private address, and http, will do."""


class WebSettings(_Topic):
    """The pages and the API."""

    host: str = "127.0.0.1"
    port: Port = 8090
    certificate: Path | None = None
    """PEM; with ``key`` the pages are https, which notifications need on a LAN."""
    key: Path | None = None
    session_hours: float = Field(default=13.0, gt=0, le=24)
    """A login outlives the longest shift (QD 第十三条: 13 h), not the day."""


class Settings(BaseSettings):
    """The whole file. Secrets may come from the environment: ``CTI_AMI__SECRET``."""

    model_config = SettingsConfigDict(extra="forbid", env_prefix="CTI_", env_nested_delimiter="__", frozen=True)

    pbx_id: str = Field(default="pbx1", pattern=r"^[a-z0-9_-]{1,32}$")
    database: Path = Path("/var/lib/cti/cti.db")
    log_level: str = Field(default="INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    demo: bool = False
    """Shown on every page; refuses addresses that are not loopback."""
    ami: AmiSettings
    agi: AgiSettings = AgiSettings()
    asterisk: AsteriskSettings = AsteriskSettings()
    hotline: HotlineSettings = HotlineSettings()
    callback: CallbackSettings = CallbackSettings()
    mqtt: MqttSettings = MqttSettings()
    zammad: ZammadSettings = ZammadSettings()
    webhooks: WebhookSettings = WebhookSettings()
    web: WebSettings = WebSettings()

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """The environment outweighs the file."""
        return env_settings, init_settings


def load_settings(path: Path) -> Settings:
    """Read the settings file.

    Raises:
        BadInput: naming the file or the dotted path of the setting.
    """
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text())
    except OSError as error:
        raise BadInput(str(path), f"cannot be read: {error.strerror}; `cti init` writes one") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(str(path), f"is not TOML: {error}") from error
    return make_settings(data)


def make_settings(data: dict[str, Any]) -> Settings:
    """Settings from plain values; see ``load_settings``."""
    try:
        return Settings(**data)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(".".join(str(part) for part in first["loc"]), first["msg"]) from error
