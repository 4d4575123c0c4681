"""The one consumer: each input goes through the pure core, into one transaction, and takes effect after the commit."""

from cti.engine.engine import Engine

__all__ = ["Engine"]
