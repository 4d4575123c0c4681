"""Fields that several routes take, each judged in one way."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import Field

_NUMBER = r"^[0-9]{2,8}$"

Number = Annotated[str, Field(pattern=_NUMBER)]
"""An agent's number (工号)."""
NumberQuery = Annotated[str | None, Query(pattern=_NUMBER)]
"""Of one agent alone."""
Reason = Annotated[str, Field(max_length=200)]
"""Why somebody asks or changes something; whether it may be empty is the engine's word."""
DayQuery = Annotated[
    date | None,
    Query(ge=date(2000, 1, 1), le=date(2100, 1, 1), description="a local day; today when left out"),
]
