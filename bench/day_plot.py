"""The picture of ``bench.day`` and its page. Bars and a line need no library; a text is the same bytes every time."""

from __future__ import annotations

from typing import Any

WIDTH, HEIGHT = 960, 420
LEFT, RIGHT, TOP, BOTTOM = 60, 60, 70, 60
FIRST_HOUR, QUARTERS = 8, 4
LEAST_FOR_A_RATE = 20  # attempts in an hour; a share of fewer says nothing
NOT_REACHED, REACHED, RATE, INK, GRID = "#b7c9dc", "#2f6ea5", "#c2571a", "#222222", "#dddddd"

Bars = list[tuple[int, int]]
"""For each quarter-hour from 08:00 on: attempts, and those that were answered."""


def hourly(bars: Bars) -> Bars:
    """The same by the hour."""
    return [
        (sum(tried for tried, _ in bars[n : n + QUARTERS]), sum(reached for _, reached in bars[n : n + QUARTERS]))
        for n in range(0, len(bars), QUARTERS)
    ]


def picture(bars: Bars, callbacks: int, agents: int) -> str:
    """An SVG: attempts a quarter-hour, and the connect rate of each hour."""
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step = max(-(-max((tried for tried, _ in bars), default=1) // 50) * 10, 1)
    top = step * 5
    each = wide / len(bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}" role="img">',
        f"<title>{callbacks} callbacks, {agents} agents: attempts over the hours and connect rate</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 24, f"{agents} 名话务员一天回访 {callbacks} 件：各时段拨打次数与接通率", size=16),
        _text(
            LEFT, 42, f"{callbacks} owed callbacks, {agents} agents: attempts a quarter-hour, connect rate by the hour"
        ),
    ]
    for n in range(6):
        y = TOP + high - high * n / 5
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{GRID}"/>')
        parts.append(_text(LEFT - 8, y + 4, str(step * n), anchor="end"))
        parts.append(_text(WIDTH - RIGHT + 8, y + 4, f"{20 * n}%", fill=RATE))
    for n, (tried, reached) in enumerate(bars):
        parts.append(_bar(LEFT + n * each, each, high, tried, top, NOT_REACHED))
        parts.append(_bar(LEFT + n * each, each, high, reached, top, REACHED))
    points = []
    for n, (tried, reached) in enumerate(hourly(bars)):
        x = LEFT + (n + 0.5) * QUARTERS * each
        parts.append(_text(LEFT + n * QUARTERS * each, TOP + high + 18, f"{FIRST_HOUR + n:02}:00", anchor="middle"))
        if tried >= LEAST_FOR_A_RATE:
            points.append(f"{x:.1f},{TOP + high - high * reached / tried:.1f}")
    parts.append(_text(WIDTH - RIGHT, TOP + high + 18, f"{FIRST_HOUR + len(bars) // QUARTERS}:00", anchor="middle"))
    parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{RATE}" stroke-width="2"/>')
    parts += [f'<circle cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="3" fill="{RATE}"/>' for p in points]
    for n, (colour, name) in enumerate(
        ((REACHED, "接通 answered"), (NOT_REACHED, "未接通 not answered"), (RATE, "接通率 connect rate"))
    ):
        parts.append(f'<rect x="{LEFT + n * 200}" y="{HEIGHT - 26}" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(LEFT + n * 200 + 18, HEIGHT - 15, name))
    return "\n".join([*parts, "</svg>", ""])


def _bar(x: float, each: float, high: int, count: int, top: int, colour: str) -> str:
    tall = high * count / top
    where = f'x="{x + 1:.1f}" y="{TOP + high - tall:.1f}" width="{each - 2:.1f}" height="{tall:.1f}"'
    return f'<rect {where} fill="{colour}"/>'


def _text(x: float, y: float, words: str, size: int = 12, anchor: str = "start", fill: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}">{words}</text>'


ROWS = (
    ("attempts", "拨打次数 Attempts"), ("connected", "接通 Answered"), ("connect_rate", "接通率 Connect rate"),
    ("attempts_by_ordinal", "第1、2、3次 First, second, third attempts"),
    ("ended", "办结 Ended"), ("open_tomorrow", "次日继续 Open, due tomorrow"),
    ("past_deadline", "逾期办结或未结 Ended after the deadline, or not by then"),
    ("said_at_once", "预告三次排不下 Three cannot fit before the deadline (said at once)"),
    ("busiest_quarter", "最忙一刻钟 Attempts in the busiest quarter-hour"),
    ("network_failures", "网络故障 Network failures"), ("inbound", "呼入 Calls in"),
    ("inbound_within_15_s", "呼入15秒内接听 Calls in answered within 15 s"), ("occupancy", "工时利用率 Occupancy"),
)  # fmt: skip
_SHARES = ("connect_rate", "inbound_within_15_s", "occupancy")


def document(figures: dict[str, Any], bars: Bars) -> str:
    """The page: what was simulated, the picture, the figures."""
    spread, plain = figures["spread"], figures["as_soon_as_allowed"]
    lines = [
        "# 一天的回访 A day of callbacks",
        "",
        "Written by `python -m bench.day`; the same seed gives the same bytes.",
        f"{spread['agents']} agents answer the calls that come in and work {spread['callbacks']} owed callbacks"
        " from 08:00 to 21:00.",
        "Calls in go first: nobody is dialled while a caller waits. Three in five callbacks were answered by their",
        "unit yesterday and are due today at the same time of day (KL: 1 working day); the others come in today and",
        "are due tomorrow. The plan and the rules are the service's own; the citizens are a model with shares and",
        "hours of our own making (`bench/day.py`), so the connect rate is an example and no forecast, and so is the",
        "gain of the spread. It is a reckoning of the planner: neither Asterisk nor the engine is in it. Each as soon",
        "as allowed makes more attempts on the day; spreading leaves later ones of those due tomorrow for tomorrow.",
        "",
        "![attempts over the hours](callback-day.svg)",
        "",
        "| | 分散各时段 spread over the day | 到点即拨 each as soon as allowed |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {_shown(key, spread[key])} | {_shown(key, plain[key])} |" for key, name in ROWS]
    lines += ["", "| 时段 Hour | 拨打 Attempts | 接通 Answered | 接通率 Connect rate |", "|---|---|---|---|"]
    for n, (tried, reached) in enumerate(hourly(bars)):
        rate = f"{reached / tried:.0%}" if tried else ""
        lines.append(f"| {FIRST_HOUR + n:02}:00 | {tried} | {reached} | {rate} |")
    return "\n".join([*lines, ""])


def _shown(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return f"{value:.1%}" if key in _SHARES else str(value)
