"""CDR and CEL rows, as our asterisk-conf writes them, tell linkedid, answer and end of a channel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from cti.oracle.cdr_cel import ChannelIndex, parse_cdr, parse_cel, read_rows

# Written by the lab's Asterisk 22.10: one queue call that was answered, and one that was abandoned.
CDRS = [
    b'"1795285585.1","1795285585.0","1795285585.533173","1795285585.534355","1795285590.535344","ANSWERED",'
    b'"cti-hotline","Local/12319@cti-inbound-00000000;2","Local/3001@lab-seats-00000001;1"',
    b'"1795286013.7","1795286013.4","1795286013.038206","0.000000","1795286016.037974","FAILED","lab-seats",'
    b'"Local/2001@lab-seats-00000002;2",""',
]
CELS = [
    b'"CHAN_START","1795285585.533173","1795285585.1","1795285585.0","Local/12319@cti-inbound-00000000;2","cti-inbound","12319"',
    b'"ANSWER","1795285585.534355","1795285585.1","1795285585.0","Local/12319@cti-inbound-00000000;2","cti-hotline","hotline"',
    b'"CHAN_START","1795285585.536349","1795285585.2","1795285585.0","Local/3001@lab-seats-00000001;1","lab-seats","3001"',
    b'"BRIDGE_ENTER","1795285585.538302","1795285585.1","1795285585.0","Local/12319@cti-inbound-00000000;2","cti-hotline","hotline"',
    b'"CHAN_END","1795285590.535725","1795285585.1","1795285585.0","Local/12319@cti-inbound-00000000;2","cti-hotline","hotline"',
]  # fmt: skip


def at(second: int, microsecond: int) -> datetime:
    return datetime.fromtimestamp(second, UTC) + timedelta(microseconds=microsecond)


def test_a_row_is_read_to_the_microsecond() -> None:
    """Times are exact: floats would round them."""
    row = parse_cdr(CDRS[0])
    assert (row.uniqueid, row.linkedid, row.disposition) == ("1795285585.1", "1795285585.0", "ANSWERED")
    assert (row.start, row.answer) == (at(1795285585, 533173), at(1795285585, 534355))
    assert row.end == at(1795285590, 535344)


def test_an_unanswered_row_has_no_answer() -> None:
    """Asterisk writes 0.000000 for "never"; that is not 1970."""
    assert parse_cdr(CDRS[1]).answer is None


def test_the_index_tells_linkedid_answer_and_end() -> None:
    """A call that was not seen is joined to its history by uniqueid, and to its legs by linkedid."""
    index = ChannelIndex()
    index.add_cels(map(parse_cel, CELS))
    index.add_cdrs(map(parse_cdr, CDRS))
    known = index.of(["1795285585.1", "nobody.1"])["1795285585.1"]
    assert known.linkedid == "1795285585.0"
    assert (known.answered_at, known.bridged_at) == (at(1795285585, 534355), at(1795285585, 538302))
    assert known.ended_at == at(1795285590, 535725)
    assert known.dispositions == ("ANSWERED",)
    assert [leg.uniqueid for leg in index.legs("1795285585.0")] == ["1795285585.1", "1795285585.2"]
    assert (index.get("nobody.1"), index.legs("nobody.1")) == (None, ())


def test_order_and_repetition_change_nothing() -> None:
    """CEL rows come out of order between threads, and are read twice after a lost cursor."""
    seen = set()
    for order in permutations(map(parse_cel, CELS)):
        index = ChannelIndex()
        index.add_cdrs([parse_cdr(CDRS[0])])
        index.add_cels(order)
        index.add_cels(order)
        index.add_cdrs([parse_cdr(CDRS[0])])
        seen.add(index.legs("1795285585.0"))
    assert len(seen) == 1


def test_a_channel_without_an_end_is_not_known_to_have_ended() -> None:
    """After a kill -9 Asterisk wrote neither CDR nor CHAN_END: no end is made up."""
    index = ChannelIndex()
    index.add_cels(map(parse_cel, CELS[:4]))
    known = index.get("1795285585.1")
    assert known is not None
    assert (known.ended_at, known.dispositions) == (None, ())


def test_a_later_linkedid_moves_the_leg() -> None:
    """An attended transfer joins two histories; the leg is then found under the one that it has now."""
    rows = [parse_cel(CELS[0]), parse_cel(CELS[4].replace(b'"1795285585.0"', b'"1795285500.0"'))]
    for order in (rows, rows[::-1]):
        index = ChannelIndex()
        index.add_cels(order)
        assert [leg.uniqueid for leg in index.legs("1795285500.0")] == ["1795285585.1"]
        assert index.legs("1795285585.0") == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "not quoted"),
        (CELS[0][:-4], "not quoted"),
        (CELS[0].replace(b'"12319"', b'"12\t319"'), "control byte"),
        (CELS[0] + b',"x"', "8 fields, not 7"),
        (CELS[0].replace(b"12319", b'12"319'), "not CSV"),
        (CELS[0].replace(b"585.533173", b"585"), "time: not a time"),
        (CELS[0].replace(b'"1795285585.1"', b'"../x"'), "uniqueid: not an id"),
        (CELS[0].replace(b"CHAN_START", b"chan start"), "event or time"),
        (CELS[0].replace(b"12319", b"\xff"), "not UTF-8"),
        (CELS[0] + CELS[1], "13 fields, not 7"),
    ],
)
def test_a_line_that_breaks_the_grammar_is_refused_with_a_reason(line: bytes, reason: str) -> None:
    """Cut, glued or forged lines give no row, and the others still count."""
    rows, quarantined = read_rows([CELS[1], line, CELS[2]], parse_cel)
    assert [row.event for row in rows] == ["ANSWER", "CHAN_START"]
    assert [(q.number, q.reason) for q in quarantined] == [(1, reason)]


def test_a_glued_cdr_line_is_refused() -> None:
    """A row without a start is no row, and two rows on one line are none."""
    _, quarantined = read_rows([CDRS[0] + CDRS[1], CDRS[1].replace(b"1795286013.038206", b"")], parse_cdr)
    assert [q.reason for q in quarantined] == ["17 fields, not 9", "start: no time"]
