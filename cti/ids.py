"""Ids that nobody can guess and that sort by time; time and randomness are injected."""

from __future__ import annotations

import random
from datetime import datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no letters that look like digits


CALLBACK_LEG = "cticb-"
"""Begins the id of an agent's leg on which a caller is called back."""


class Ids:
    """Makes ids from the moment and 80 random bits (tokens: 160)."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def make(self, prefix: str, now: datetime) -> str:
        """An id such as ``t-01ke…``: *prefix*, milliseconds since 1970 UTC, 80 random bits."""
        return f"{prefix}-{_base32(int(now.timestamp() * 1000), 10)}{_base32(self._rng.getrandbits(80), 16)}"

    def token(self) -> str:
        """160 random bits for a cookie."""
        return _base32(self._rng.getrandbits(160), 32)

    def channel(self, now: datetime, use: str = "cticb") -> str:
        """A ChannelId for an Originate. Asterisk makes it the Uniqueid, so it has that form: ``cticb-epoch.number``.

        *use*: five letters, ``cticb`` for a callback, ``ctisc`` for a seat's check.
        """
        # All equally long: Asterisk refuses an id that is the beginning of a living one's.
        return f"{use}-{int(now.timestamp())}.{self._rng.getrandbits(32):010}"


def _base32(value: int, width: int) -> str:
    return "".join(ALPHABET[(value >> (5 * place)) & 31] for place in reversed(range(width)))
