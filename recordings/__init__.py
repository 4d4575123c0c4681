"""Evidence: which file belongs to which call, and is it whole. Pure: bytes and numbers in, a verdict out."""

from recordings.matching import State, Verdict, verdict
from recordings.naming import call_of, path_of
from recordings.wav import HEADER_BYTES, Header, Shape, read_header

__all__ = ["HEADER_BYTES", "Header", "Shape", "State", "Verdict", "call_of", "path_of", "read_header", "verdict"]
