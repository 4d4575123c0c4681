"""The fake peer does what the real Asterisk does (tests/asterisk runs the same checks over that)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.wire.contract_ami import CONTRACT, Peer
from tests.wire.fake_ami import FakeAmi


@pytest.mark.parametrize("check", CONTRACT)
async def test_fake_keeps_the_contract(check: Callable[[Peer], Awaitable[None]]) -> None:
    """Each check of the contract holds over the fake."""
    async with FakeAmi() as peer:
        await check(Peer(peer.port, peer.secret))
