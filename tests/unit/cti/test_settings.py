"""A wrong setting stops the start with its dotted path; a secret is never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cti.errors import BadInput
from cti.settings import load_settings, make_settings


def test_the_least_that_is_needed_is_the_secret() -> None:
    """Everything else has a default that works beside a local Asterisk."""
    settings = make_settings({"ami": {"secret": "x"}})
    assert (settings.ami.host, settings.ami.port, settings.web.host) == ("127.0.0.1", 5038, "127.0.0.1")


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"ami": {"secret": "x", "port": 0}}, "ami.port"),
        ({"ami": {"secret": ""}}, "ami.secret"),
        ({"ami": {}}, "ami.secret"),
        ({}, "ami"),
        ({"ami": {"secret": "x", "prot": 5038}}, "ami.prot"),
        ({"ami": {"secret": "x"}, "mqtt": {"prefix": "a//b"}}, "mqtt.prefix"),
        ({"ami": {"secret": "x"}, "mqtt": {"version": "4"}}, "mqtt.version"),
        ({"ami": {"secret": "x"}, "callback": {"in_flight": 11}}, "callback.in_flight"),
        ({"ami": {"secret": "x"}, "hotline": {"queue": "hot line"}}, "hotline.queue"),
        ({"ami": {"secret": "x"}, "colour": 1}, "colour"),
    ],
)
def test_a_wrong_setting_is_named(data: dict[str, Any], path: str) -> None:
    """The administrator reads where to look, not a stack of calls."""
    with pytest.raises(BadInput) as error:
        make_settings(data)
    assert error.value.field == path


def test_a_secret_is_in_no_text() -> None:
    """Whoever logs the settings logs no password."""
    settings = make_settings({"ami": {"secret": "hush-hush"}, "mqtt": {"password": "quiet-now"}})
    assert "hush-hush" not in f"{settings!r}{settings}"
    assert "quiet-now" not in f"{settings!r}{settings}"


def test_a_refused_secret_is_not_repeated() -> None:
    """The message of the refusal says why, not what."""
    with pytest.raises(BadInput) as error:
        make_settings({"ami": {"secret": ["hush-hush"]}})
    assert "hush-hush" not in str(error.value)


def test_the_environment_outweighs_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A secret may stay out of the file."""
    monkeypatch.setenv("CTI_AMI__SECRET", "from-outside")
    path = tmp_path / "config.toml"
    path.write_text('[ami]\nsecret = "from-file"\nport = 5039\n')
    settings = load_settings(path)
    assert (settings.ami.secret, settings.ami.port) == ("from-outside", 5039)


def test_a_file_that_is_away_or_no_toml_is_named(tmp_path: Path) -> None:
    """And the message says how one is made."""
    with pytest.raises(BadInput, match="cti init"):
        load_settings(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[ami\n")
    with pytest.raises(BadInput, match="not TOML"):
        load_settings(tmp_path / "bad.toml")
    (tmp_path / "gbk.toml").write_bytes("# 测试".encode("gbk"))
    with pytest.raises(BadInput, match="not TOML"):
        load_settings(tmp_path / "gbk.toml")
