"""What a phone of the lab hears: its recorded ear, told apart into the other party's tone and words."""

from __future__ import annotations

import array
import math
import time
import wave
from pathlib import Path
from typing import NamedTuple

from cti.lab.asterisk import LabAsterisk

WINDOW = 160  # samples: 20 ms, so that the lab's tones of 400 and 600 Hz fall on a whole number of waves
STEP_S = 0.02
AGENT, CITIZEN = 400, 600  # Hz: the tone of a seat 8xxx, and of a citizen who is an ear
LOUD = 150.0  # root mean square above which there is sound
JOINED = 20  # windows: a shorter pause between two words is part of them


class Span(NamedTuple):
    """Seconds from the beginning of the file."""

    start: float
    end: float


class Heard(NamedTuple):
    """One file: the agent's tone, and everything that is no tone."""

    seconds: float
    agent: list[Span]
    words: list[Span]


def ears(lab: LabAsterisk) -> Path:
    """A folder in which the lab keeps what its ears hear from now on."""
    folder = lab.work / "ears"
    folder.mkdir(exist_ok=True)
    lab.cli(f"dialplan set global LAB_EARS {folder}")
    return folder


def heard(path: Path) -> Heard:
    """What is in the WAV file at *path*; Asterisk closes it a moment after the leg has ended."""
    limit = time.monotonic() + 5
    while int.from_bytes(path.read_bytes()[40:44], "little") == 0 and time.monotonic() < limit:
        time.sleep(0.05)
    with wave.open(str(path)) as file:
        samples = array.array("h", file.readframes(file.getnframes()))
    windows = [samples[at : at + WINDOW] for at in range(0, len(samples) - WINDOW, WINDOW)]
    tones = [(_tone(window, AGENT), _tone(window, CITIZEN)) for window in windows]
    rest = [
        max(sum(sample * sample for sample in window) / WINDOW - agent - citizen, 0.0)
        for window, (agent, citizen) in zip(windows, tones, strict=True)
    ]
    return Heard(len(windows) * STEP_S, _spans([agent for agent, _ in tones]), _spans(rest))


def _tone(window: array.array[int], hertz: int) -> float:
    step = 2 * math.pi * hertz / 8000
    real = sum(sample * math.cos(step * n) for n, sample in enumerate(window))
    imaginary = sum(sample * math.sin(step * n) for n, sample in enumerate(window))
    return 2 * (real * real + imaginary * imaginary) / WINDOW**2


def _spans(powers: list[float]) -> list[Span]:
    found: list[list[int]] = []
    for place, power in enumerate(powers):
        if power <= LOUD**2:
            continue
        if found and place - found[-1][1] <= JOINED:
            found[-1][1] = place
        else:
            found.append([place, place])
    return [Span(first * STEP_S, (last + 1) * STEP_S) for first, last in found if last - first >= 2]
