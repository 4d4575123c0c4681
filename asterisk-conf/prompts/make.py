"""Makes asterisk-conf/sounds/ from prompts.toml: ``apt-get install espeak-ng sox``, then ``python3 make.py``.

espeak-ng speaks (Mandarin from pinyin, so that every tone is as written). sox evens the loudness, cuts the silence at
both ends and brings it to 8 kHz GSM 06.10, a tenth of wav and what Asterisk's own sounds are. The same versions make
the same bytes. espeak-ng is free software (GPL-3); what it speaks is no copy of it, as a text is no copy of its editor.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
VOICES = {"zh": ("cmn-latn-pinyin", "pinyin", "180"), "en": ("en-gb", "en", "180")}  # voice, column, words a minute


def make(target: Path) -> int:
    """Make every prompt of the table under *target*: LANGUAGE/FOLDER/NAME.gsm. Returns how many."""
    table = tomllib.loads((HERE / "prompts.toml").read_text())
    made = 0
    for folder, prompts in table.items():
        for name, texts in prompts.items():
            for language, (voice, column, speed) in VOICES.items():
                if column in texts:
                    _speak(texts[column], voice, speed, target / language / folder / f"{name}.gsm")
                    made += 1
    return made


def _speak(text: str, voice: str, speed: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "spoken.wav"
        subprocess.run(["espeak-ng", "-b", "1", "-v", voice, "-s", speed, "-w", str(spoken), text], check=True)
        cut = ["silence", "1", "0.02", "0.5%"]
        out = ["-R", "--no-dither", str(spoken), "-r", "8000", "-c", "1", str(file)]
        even = ["norm", "-6", "highpass", "120"]
        subprocess.run(["sox", *out, *even, *cut, "reverse", *cut, "reverse", "pad", "0.03", "0.05"], check=True)


if __name__ == "__main__":
    print(make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "sounds"))
