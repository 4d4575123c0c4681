"""The calendar of working days: the library ``holidays``, then the site's own file, which wins.

The library knows the public holidays of China by rule and each year's make-up days once they are proclaimed and it is
updated; a site that must not wait for that, or closes on days of its own, writes them down::

    off = [2027-02-11, 2027-02-12]  # 放假
    on = [2027-02-14]               # 调休上班
"""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from functools import cache
from pathlib import Path

from holidays import country_holidays

from cti.errors import BadInput
from queues.workdays import Calendar

SETTING = "hotline.workdays"
YEARS_BEFORE, YEARS_AHEAD = 1, 10


def load_calendar(path: Path | None, year: int) -> Calendar:
    """The calendar around *year*; *path* is the site's file, if it has one.

    Raises:
        BadInput: the file is not there or says something else than dates; names the file.
    """
    known = _library(year)
    if path is None:
        return known
    own = _own(path)
    return Calendar((known.off - own.on) | own.off, (known.on - own.off) | own.on)


@cache
def _library(year: int) -> Calendar:
    found = country_holidays("CN", years=range(year - YEARS_BEFORE, year + YEARS_AHEAD))
    return Calendar(frozenset(found), frozenset(found.weekend_workdays))


def _own(path: Path) -> Calendar:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(SETTING, f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(SETTING, f"{path}: {error}") from error
    if unknown := set(data) - {"off", "on"}:
        raise BadInput(SETTING, f"{path}: {sorted(unknown)[0]}: only off and on are known")
    off, on = (_dates(path, name, data.get(name, [])) for name in ("off", "on"))
    if both := off & on:
        raise BadInput(SETTING, f"{path}: {min(both)} is both off and on")
    return Calendar(off, on)


def _dates(path: Path, name: str, found: object) -> frozenset[date]:
    days = found if isinstance(found, list) else [found]
    if wrong := [day for day in days if not isinstance(day, date) or isinstance(day, datetime)]:
        raise BadInput(SETTING, f"{path}: {name}: {wrong[0]!s:.40} is no date like 2027-02-14")
    return frozenset(days)
