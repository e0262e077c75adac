"""Whether what a file says of itself can be true.

Each judgement is "passed", "failed" or "not checked", and why, or None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Judgement = tuple[str, str | None]

# In kelvin, by the name of the variable or its CF standard name. Of air at 2 m the coldest and warmest that were
# ever measured are 184 and 330 K.
RANGES: dict[str, list[float]] = {
    "sea_surface_temperature": [270, 310],
    "sea_surface_foundation_temperature": [270, 310],
    "sea_surface_skin_temperature": [270, 310],
    "sea_water_temperature": [270, 310],
    "sst": [270, 310],
    "surface_temperature": [180, 350],
    "skt": [180, 350],
    "2t": [180, 335],
    "t2m": [180, 335],
    "tas": [180, 335],
    "air_temperature": [130, 340],
}
KELVIN = ("k", "kelvin", "degk", "degree_k", "degrees_k", "degree_kelvin", "degrees_kelvin")
CELSIUS = ("c", "celsius", "degc", "deg_c", "degree_c", "degrees_c", "degree_celsius", "degrees_celsius", "°c")

YEAR, MONTH, DAY, HOUR = r"((?:1[89]|20|21)\d\d)", r"(0[1-9]|1[0-2])", r"(0[1-9]|[12]\d|3[01])", r"([01]\d|2[0-3])"
BARE, END = r"(?<!\d)", r"(?!\d)"
PERIODS = [  # the first that is found in the name
    re.compile(BARE + YEAR + MONTH + DAY + "[-_]" + YEAR + MONTH + DAY + END),
    re.compile(BARE + YEAR + MONTH + DAY + "[Tt]?" + HOUR + r"(?:[0-5]\d){0,2}(?:[Zz]|(?!\d))"),
    re.compile(BARE + YEAR + "-" + MONTH + "-" + DAY + "[Tt]" + HOUR),
    re.compile(BARE + YEAR + MONTH + DAY + END),
    re.compile(BARE + YEAR + "[-_]" + MONTH + "[-_]" + DAY + END),
    re.compile(BARE + YEAR + "[-_]" + MONTH + END),
]


def period_of(name: str) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The first and last month, day or hour that a file's name speaks of, each as (year, month[, day[, hour]])."""
    for pattern in PERIODS:
        if match := pattern.search(name):
            numbers = tuple(map(int, match.groups()))
            return (numbers[:3], numbers[3:]) if len(numbers) == 6 else (numbers, numbers)
    return None


def judge_time(name: str, found: dict[str, Any]) -> Judgement:
    """All times lie in the period of the name, or the middles of their bounds do (a mean may be stamped with its end),
    or the forecast's reference times do (a forecast is named by its cycle)."""
    period = period_of(name)
    if period is None:
        return "not checked", "the name has no time"
    if not found["times"]:
        return "not checked", "the file has no time"
    first, last = period
    within = lambda time: first <= time[: len(first)] <= last
    for times in (found["times"], found["middles"], found["cycles"]):
        if times and all(map(within, times)):
            return "passed", None
    odd = next(time for time in found["times"] if not within(time))
    return "failed", f"holds the time {spell(odd)}, which does not agree with its name ({spell_period(first, last)})"


def spell(time: tuple[int, ...]) -> str:
    date = "-".join(f"{part:02}" for part in time[:3])
    return date + (" " + ":".join(f"{part:02}" for part in (*time[3:5], 0)[:2]) if len(time) > 3 else "")


def spell_period(first: tuple[int, ...], last: tuple[int, ...]) -> str:
    return spell(first) if first == last else f"{spell(first)} to {spell(last)}"


def judge_range(file: str, found: dict[str, Any], ranges: Mapping[str, Sequence[float]]) -> Judgement:
    """The least and greatest value of each variable whose range is known lie within it."""
    wrong, unchecked = [], []
    for variable in found["variables"]:
        name, least, greatest = variable["name"], variable["min"], variable["max"]
        if least is None:
            continue  # judged as missing
        if abs(least) > 1e300 or abs(greatest) > 1e300:
            wrong.append(f"{name} holds values without bound")
            continue
        kind = kind_of(file, variable, ranges)
        offset = offset_of(variable["units"])
        if kind is None or offset is None:
            unchecked.append(f"no range is known for {name}" if kind is None else f"{name} is in {variable['units']!r}")
            continue
        low, high = ranges[kind]
        if least + offset < low or greatest + offset > high:
            span = f"{least:g} to {greatest:g} {variable['units']}"
            wrong.append(f"{name} holds {span}, outside {low - offset:g} to {high - offset:g}")
    if wrong:
        return "failed", some_of(wrong)
    return ("passed", None) if len(unchecked) < len(found["variables"]) else ("not checked", some_of(unchecked))


def kind_of(file: str, variable: dict[str, Any], ranges: Mapping[str, Sequence[float]]) -> str | None:
    """The name a variable's range is known by: its own, else its meaning's."""
    kind = next((name for name in (variable["name"], variable["standard_name"]) if name in ranges), None)
    # CF has one name for the surface of land and sea; a file that calls itself SST is held to the sea's.
    return "sst" if kind == "surface_temperature" and "sst" in file.lower() else kind


def offset_of(units: str | None) -> float | None:
    """What takes a value to kelvin, or None where it is no temperature."""
    text = (units or "").strip().lower().replace(" ", "_")
    return 0.0 if text in KELVIN else 273.15 if text in CELSIUS else None


def judge_missing(found: dict[str, Any]) -> Judgement:
    wrong = []
    for variable in found["variables"]:
        empty = variable["empty"]
        if variable["min"] is None:
            wrong.append(f"{variable['name']} holds no value at all")
        elif empty:
            steps = ", ".join(str(step + 1) for step in empty[:5])
            steps += f" and {len(empty) - 5} more" if empty[5:] else ""
            wrong.append(f"all values of {variable['name']} are missing at step {steps}")
    return ("failed", some_of(wrong)) if wrong else ("passed", None)


def some_of(reasons: list[str]) -> str:
    """The first few: a file may hold hundreds of variables."""
    return "; ".join(reasons[:5]) + (f"; and {len(reasons) - 5} more" if reasons[5:] else "")
