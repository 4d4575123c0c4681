"""Asterisk's own records are read strictly: a forged line is no row."""

from __future__ import annotations

import math
import wave
from array import array
from pathlib import Path

import pytest

from cti.lab import oracle

GOOD = "1795280313|1795280313.6|hotline|1001|CONNECT|2|1795280313.9|1"


def test_a_line_is_read_into_its_fields() -> None:
    """Time, call, queue, agent, verb, data."""
    row = oracle.parse_queue_log(GOOD)
    assert row == (1795280313, "1795280313.6", "hotline", "1001", "CONNECT", ("2", "1795280313.9", "1"))


@pytest.mark.parametrize(
    "line",
    ["", "x", GOOD.replace("CONNECT", "CONNECTED"), GOOD + "\r", GOOD.replace("1001", "\x1b[2J"), "\r" + GOOD, GOOD[1:],
     "1795280313|1795280313.6|hotline|NONE"],
)  # fmt: skip
def test_what_asterisk_does_not_write_is_no_row(line: str) -> None:
    """Unknown verbs, control characters, torn lines."""
    assert oracle.parse_queue_log(line) is None


def test_a_forged_line_is_named_by_its_number(tmp_path: Path) -> None:
    """A line end that a caller sent makes two bad lines out of one."""
    path = tmp_path / "queue_log"
    path.write_text(f"{GOOD}\n1795280313|1|hotline|NONE|ENTERQUEUE||138\r\nEvent: x\r\n|1\n")
    with pytest.raises(ValueError, match="line 2"):
        oracle.read_queue_log(path)


def test_loudness_tells_sound_from_silence(tmp_path: Path) -> None:
    """A sine of amplitude 10,000 has a root mean square of 7,071; silence has none."""
    for name, level, expected in (("tone", 10_000, 7071.0), ("silence", 0, 0.0)):
        samples = array("h", (round(level * math.sin(i / 4)) for i in range(16_000)))
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        sound = oracle.listen(tmp_path / name)
        assert sound.seconds == 2.0
        assert sound.loudness == pytest.approx(expected, rel=0.01, abs=0.1)
