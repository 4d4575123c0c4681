"""Rotation, the index of shifts, clashes, and who may change what."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from agents.roster import Change, Roster, may_change, may_rotate, rotation, templates
from agents.shifts import LONGEST, Shift, ShiftState, Template
from regulations import Article, Basis, Limit, Profile, Strength

DAY, NIGHT = Template("day", time(8), time(19)), Template("night", time(19), time(8))
START = date(2026, 12, 28)
T0 = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
H, US = timedelta(hours=1), timedelta(microseconds=1)
HZ19 = Article("HZ", "第十九条", "如需请假或换班应提前1天按照程序提出申请")
QD13 = Article("QD", "第十三条（一）", "采用四班二运转的运行模式")
AHEAD = Limit("leave.ahead", 24 * H, HZ19, Strength.MUST, Basis.TEXT)
CREWS = Limit("roster.crews", 4, QD13, Strength.MUST, Basis.TEXT)


def at(start: datetime = T0, hours: float = 11, agent: str = "1001", **more: object) -> Shift:
    """A shift named after its agent and start."""
    values = {"shift_id": f"{agent}-{start.isoformat()}", "agent": agent, "starts_at": start} | more
    return Shift(ends_at=start + hours * H, **values)  # type: ignore[arg-type]


def test_a_crew_works_day_night_and_rests_two_days() -> None:
    """四班二运转: four days are a cycle, and the days go on over the year end."""
    turns = list(rotation(START, 8, START, 4, (DAY, NIGHT)))
    assert len(turns) == 16
    mine = [(t.day - START, t.template.code) for t in turns if t.crew == 0]
    assert mine == [(timedelta(d), code) for d, code in ((0, "day"), (1, "night"), (4, "day"), (5, "night"))]
    assert turns[8].day == date(2027, 1, 1)


def test_a_later_month_goes_on_where_the_last_one_ended() -> None:
    """The anchor alone says whose turn it is, whenever the roster is made."""
    whole = list(rotation(START, 60, START, 4, (DAY, NIGHT)))
    assert list(rotation(START + timedelta(31), 29, START, 4, (DAY, NIGHT))) == whole[62:]
    assert list(rotation(START, 31, START + timedelta(400), 4, (DAY, NIGHT))) == whole[:62]


def test_a_rotation_needs_its_crews() -> None:
    """As many as the profile says; without a figure at least one for each shift; shifts at all."""
    assert may_rotate(4, CREWS, (DAY, NIGHT)).articles == (QD13,)
    three = may_rotate(3, CREWS, (DAY, NIGHT))
    assert (three.allowed, three.code, three.articles) == (False, "crews", (QD13,))
    assert may_rotate(3, None, (DAY, NIGHT)).allowed
    assert may_rotate(1, None, (DAY, NIGHT)).code == "crews"
    assert may_rotate(4, CREWS, ()).code == "no_templates"
    for crews, of in ((1, (DAY, NIGHT)), (4, ())):
        with pytest.raises(ValueError, match="crews"):
            next(rotation(START, 1, START, crews, of))


def test_templates_are_those_whose_times_the_profile_names() -> None:
    """Half a shift is none."""
    limits = {
        path: Limit(path, value, QD13, Strength.MUST, Basis.TEXT)
        for path, value in (
            ("roster.day_from", time(8)), ("roster.day_to", time(19)), ("roster.night_from", time(19))
        )
    }  # fmt: skip
    assert templates(Profile("x", "x", "x", "Asia/Shanghai", limits)) == (DAY,)


def test_the_index_answers_as_a_look_at_every_shift_would() -> None:
    """At, next, last, covered, between; at both edges, with shifts on leave and others' shifts between."""
    roster = Roster()
    mine = [at(T0 + 24 * d * H) for d in range(3)]
    away = at(T0 + 72 * H, state=ShiftState.LEAVE)
    other = at(T0 + 12 * H, 13, "1002")
    roster.put([*mine, away, other])
    assert roster.at("1001", T0 + 11 * H - US) == mine[0]
    assert roster.at("1001", T0 + 11 * H) is None
    assert roster.at("1001", T0 + 72 * H) is None
    assert roster.after("1001", T0) == mine[1]
    assert roster.after("1001", T0 - US) == mine[0]
    assert roster.after("1001", T0 + 48 * H) is None
    assert roster.before("1001", T0 + 11 * H) == mine[0]
    assert roster.before("1001", T0 + 11 * H - US) is None
    assert roster.before("1001", T0 + 100 * H) == mine[2]
    assert roster.covers(T0 + 72 * H)
    assert not roster.covers(T0 + 11 * H)
    assert roster.between(T0 + 11 * H, T0 + 12 * H) == []
    assert roster.between(T0 + 11 * H - US, T0 + 12 * H + US) == [mine[0], other]
    assert roster.at("nobody", T0) is None


def test_the_longest_shift_is_found_behind_shorter_ones() -> None:
    """Looking back does not end at the first shift that is over."""
    roster = Roster()
    roster.put([at(T0, LONGEST / H), at(T0 + H, 2), at(T0 + 4 * H, 2)])
    assert roster.at("1001", T0 + LONGEST - US) == at(T0, LONGEST / H)
    assert roster.covers(T0 + LONGEST - US)
    assert not roster.covers(T0 + LONGEST)
    assert roster.before("1001", T0 + LONGEST) == at(T0, LONGEST / H)


def test_shifts_are_replaced_taken_off_and_forgotten() -> None:
    """By id; what is off is nowhere."""
    roster = Roster()
    roster.put([at(), at(agent="1002")])
    roster.put([at(hours=5), at(agent="1002", state=ShiftState.OFF)])
    assert [s.length for s in roster.by_id.values()] == [5 * H]
    assert roster.by_agent["1002"] == []
    roster.forget(T0 + 5 * H)
    assert roster.by_id.keys() == {at().shift_id}
    roster.forget(T0 + 5 * H + US)
    assert roster.by_id == {}
    assert not roster.covers(T0)


def test_clashes_are_told_once_each_and_of_two_new_ones_the_later() -> None:
    """An agent twice, a seat with two agents; touching ends and leave do not clash."""
    roster = Roster()
    roster.put([at(seat="1"), at(agent="1009", state=ShiftState.LEAVE)])
    assert roster.clashes([at(T0 + 11 * H, seat="1"), at(agent="1009", shift_id="again")]) == []
    mine, theirs = at(T0 + H, 1), at(T0 + H, 1, "1002", seat="1")
    found = roster.clashes([mine, theirs])
    assert [(c.new, c.seat) for c in found] == [(mine, False), (theirs, True)]
    same = [at(T0 + 50 * H, shift_id=str(n)) for n in range(4)]
    assert [c.new.shift_id for c in roster.clashes(same)] == ["1", "2", "3"]
    assert roster.clashes([at(hours=12)]) == []
    assert roster.clashes([at(T0 + n * H, 1, "1003") for n in range(3)]) == []
    before = at(T0 - H, 2)
    assert [c.new for c in roster.clashes([before])] == [before]


def test_what_has_begun_and_what_is_ones_own() -> None:
    """Begun at the start itself; both refusals are told together."""
    begun = Change(None, at())
    assert may_change("9001", [begun], AHEAD, T0 - US, leads=False, reason="").allowed
    for leads, reason, well in ((True, "补录", True), (True, "", False), (False, "补录", False)):
        assert may_change("9001", [begun], AHEAD, T0, leads=leads, reason=reason).allowed is well
    both = may_change("1001", [begun], AHEAD, T0, leads=False, reason="")
    assert (both.code, both.articles) == ("own_shift", (HZ19,))
    assert "已开始" in both.zh
    moved = Change(at(T0 + 48 * H), at(T0 + 47 * H, 12))
    longer = Change(at(T0 + 48 * H), at(T0 + 48 * H, 12))
    assert may_change("1001", [moved, longer], AHEAD, T0, leads=True, reason="").allowed
    given = Change(at(T0 + 48 * H), at(T0 + 48 * H, agent="1002"))
    assert may_change("1001", [given], None, T0, leads=True, reason="x").code == "own_shift"
    assert may_change("9001", [given], None, T0, leads=True, reason="").allowed
