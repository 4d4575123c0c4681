"""The table of the dialplan's global variables that the service has ever set."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from cti.store.tables import metadata

switches = Table(
    "switches", metadata,
    Column("pbx_id", String(32), primary_key=True),
    Column("name", String(80), primary_key=True),  # may hold a number: CTI_BLOCK_…
    Column("value", String(120), nullable=False),  # as declared last; empty: cleared
)  # fmt: skip
