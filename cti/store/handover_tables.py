"""Tables of the handover. Nothing here names a caller: a ticket or callback is its id."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, UniqueConstraint

from cti.store.tables import Instant, metadata

handovers = Table(
    "handovers", metadata,
    Column("handover_id", String(40), primary_key=True),
    Column("pbx_id", String(32), nullable=False),
    Column("at", Instant, nullable=False),  # the end of the outgoing shifts
    Column("until", Instant, nullable=False),  # the last end of the incoming shifts
    Column("prepared_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),  # prepared | closed | cancelled
    Column("closed_at", Instant),
    UniqueConstraint("pbx_id", "at", "prepared_at", name="one_handover_at_a_moment"),
    Index("handovers_by_time", "at"),
)  # fmt: skip

pairs = Table(
    "handover_pairs", metadata,
    Column("handover_id", String(40), primary_key=True),
    Column("outgoing", String(16), primary_key=True),
    Column("outgoing_shift", String(80), nullable=False),
    Column("seat", String(32)),
    Column("incoming", String(16)),
    Column("incoming_shift", String(80)),
    Column("paired_by", String(16)),  # None: proposed, no lead has set it
    Column("paired_at", Instant),
    Column("out_signed_at", Instant),
    Column("in_signed_at", Instant),
    Column("left_at", Instant),
    Column("relieved_at", Instant),
    Column("relieved_by", String(16)),
    Column("overtime_why", String(16)),  # no_relief | unsigned
    Column("overtime_from", Instant),
    Column("overtime_mono", Float),
    Column("overtime_boot", String(80)),
    Column("overtime_ms", BigInteger),
    Column("dropped", Boolean, nullable=False),
)  # fmt: skip

items = Table(
    "handover_items", metadata,
    Column("item_id", String(40), primary_key=True),
    Column("handover_id", String(40), nullable=False),
    Column("outgoing", String(16), nullable=False),
    Column("kind", String(16), nullable=False),  # ticket | callback | request | note | equipment
    Column("subject", String(40)),  # the ticket's, callback's or request's id
    Column("text", String(200), nullable=False),
    Column("added_by", String(16)),  # None: found by the service
    Column("added_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),  # open | taken | disputed | kept | ordered | done
    Column("decided_by", String(16)),
    Column("decided_at", Instant),
    Column("reason", String(200), nullable=False),
    Column("settled_by", String(16)),
    Column("settled_at", Instant),
    Column("settled_reason", String(200), nullable=False),
    Index("handover_items_by_sheet", "handover_id", "outgoing"),
    Index("handover_items_by_subject", "subject"),
)  # fmt: skip

seat_gaps = Table(  # 空档: how long a paired seat stood empty
    "handover_gaps", metadata,
    Column("gap_id", String(40), primary_key=True),
    Column("handover_id", String(40), nullable=False),
    Column("seat", String(32), nullable=False),
    Column("outgoing", String(16), nullable=False),
    Column("incoming", String(16), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("began_mono", Float, nullable=False),  # seconds of the monotonic clock of that boot
    Column("boot", String(80), nullable=False),
    Column("cause", String(16), nullable=False),  # incoming | lead | outgoing
    Column("caused_by", String(16), nullable=False),
    Column("limit_ms", Integer),
    Column("alarmed_at", Instant),
    Column("ended_at", Instant),
    Column("ended_by", String(16)),
    Column("ms", BigInteger),
    Column("within", Boolean),
    Column("by_wall", Boolean, nullable=False),  # measured by the wall clock: the machine was restarted meanwhile
    Index("handover_gaps_by_handover", "handover_id"),
    Index("handover_gaps_running", "ended_at"),
)  # fmt: skip
