"""The steps of a season report: plain functions that take paths and values and import nothing of a workflow engine.

A day is a CSV file of one header and one record; its name ends with its date, `seattle_2012-03-14.csv`. Columns are
known by the names that two networks give them.
"""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path
from typing import Any

COLUMNS = {
    "max": ("temp_max", "Tmax"),
    "min": ("temp_min", "Tmin"),
    "rain": ("precipitation", "Rain"),
    "wind": ("wind", "Wndsp"),
}
UNITS = {"max": "°C", "min": "°C", "rain": "mm", "wind": "m/s"}
RANGES = {"max": (-60.0, 60.0), "min": (-80.0, 45.0), "rain": (0.0, 500.0), "wind": (0.0, 90.0)}
WARM = 10.0  # °C: what is above it counts as growing degrees
SEASONS = {12: "winter", 1: "winter", 2: "winter", 3: "spring", 4: "spring", 5: "spring"}
SEASONS |= {6: "summer", 7: "summer", 8: "summer", 9: "autumn", 10: "autumn", 11: "autumn"}


def release(until: str, corrections: dict[str, dict[str, float]], *, days: Path) -> int:
    """Lays out the Seattle record of the package `vega_datasets` as it arrives: one file a day, up to a day.

    Source: NOAA daily summaries, Seattle-Tacoma airport, 2012 to 2015. `corrections` are values by day and column that
    the station sent afterwards. Returns how many days there are.
    """
    import vega_datasets

    days.mkdir(parents=True, exist_ok=True)
    count = 0
    source = Path(vega_datasets.__file__).parent / "_data" / "seattle-weather.csv"
    with source.open(newline="") as lines:
        for record in csv.DictReader(lines):
            date = record["date"].replace("/", "-")
            if date > until:
                continue
            record |= {name: str(value) for name, value in corrections.get(date, {}).items()}
            with (days / f"seattle_{date}.csv").open("w", newline="") as target:
                writer = csv.DictWriter(target, fieldnames=list(record), lineterminator="\n")
                writer.writeheader()
                writer.writerow(record)
            count += 1
    return count


def check(day: Path) -> dict[str, Any]:
    """Is a day sound? Gives `ok`, and the first reason why it is not."""
    reason = _fault(day)
    return {"ok": reason is None, "reason": reason}


def _fault(day: Path) -> str | None:
    try:
        date, values = read_day(day)
    except (ValueError, KeyError) as error:
        return str(error)
    if not re.search(rf"{re.escape(date)}\.csv$", day.name):
        return f"it is named {day.name} and holds {date}"
    for name, value in values.items():
        low, high = RANGES[name]
        if math.isnan(value):
            return f"{name} is missing"
        if not low <= value <= high:
            return f"{name} is {value:g} {UNITS[name]}, not between {low:g} and {high:g}"
    if values["max"] < values["min"]:
        return f"its highest temperature, {values['max']:g}, is below its lowest, {values['min']:g}"
    return None


def read_day(day: Path) -> tuple[str, dict[str, float]]:
    """The date, and the values by our names. ValueError for a file that is no single record."""
    with day.open(newline="") as lines:
        records = list(csv.DictReader(lines))
    if len(records) != 1:
        raise ValueError(f"it holds {len(records)} records, not one")
    record = records[0]
    values = {}
    for name, known in COLUMNS.items():
        column = next((one for one in known if one in record), None)
        if column is None:
            raise ValueError(f"it has no column {' or '.join(known)}")
        values[name] = float(record[column])
    return record["date"].replace("/", "-"), values


def features(days: Path) -> dict[str, Any]:
    """What a month was like: temperatures, rain, frost, growing degrees. `days` holds its days, at any depth."""
    found = [read_day(day) for day in sorted(days.rglob("*.csv"), key=lambda path: path.name)]
    means = [(values["max"] + values["min"]) / 2 for _, values in found]
    rain = [values["rain"] for _, values in found]
    return {
        "month": found[0][0][:7],
        "days": len(found),
        "mean": round(math.fsum(means) / len(means), 2),
        "highest": max(values["max"] for _, values in found),
        "lowest": min(values["min"] for _, values in found),
        "rain": round(math.fsum(rain), 1),
        "wet_days": sum(amount >= 1 for amount in rain),
        "frost_days": sum(values["min"] < 0 for _, values in found),
        "growing_degrees": round(math.fsum(max(0.0, mean - WARM) for mean in means), 1),
    }


def report(months: Path, *, table: Path, plot: Path) -> list[dict[str, Any]]:
    """Puts months together by season, as a table and a plot. `months` holds the features of each, as JSON."""
    found = [json.loads(path.read_text()) for path in sorted(months.iterdir())]
    if not found:
        raise ValueError("there is no sound day to report: days are files named like 2012-03-14.csv")
    seasons: dict[str, list[dict[str, Any]]] = {}
    for month in found:
        seasons.setdefault(season_of(month["month"]), []).append(month)
    rows = [
        {
            "season": season,
            "days": sum(one["days"] for one in some),
            "mean": round(math.fsum(one["mean"] * one["days"] for one in some) / sum(one["days"] for one in some), 2),
            "rain": round(math.fsum(one["rain"] for one in some), 1),
            "frost_days": sum(one["frost_days"] for one in some),
            "growing_degrees": round(math.fsum(one["growing_degrees"] for one in some), 1),
        }
        for season, some in seasons.items()
    ]
    with table.open("w", newline="") as target:
        writer = csv.DictWriter(target, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    _draw(found, plot)
    return rows


def season_of(month: str) -> str:
    """`2012-01` is in the winter of 2012, and so is `2011-12`."""
    year, number = int(month[:4]), int(month[5:])
    return f"{SEASONS[number]} {year + 1 if number == 12 else year}"


def _draw(months: list[dict[str, Any]], plot: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [month["month"] for month in months]
    figure, (above, below) = pyplot.subplots(2, 1, sharex=True, figsize=(max(6.0, 0.4 * len(names)), 5.0))
    above.fill_between(
        names, [one["lowest"] for one in months], [one["highest"] for one in months], alpha=0.25, label="lowest to highest"
    )
    above.plot(names, [one["mean"] for one in months], marker="o", label="mean")
    above.set_ylabel("temperature, °C")
    above.legend()
    below.bar(names, [one["rain"] for one in months])
    below.set_ylabel("rain, mm")
    below.tick_params(axis="x", rotation=60)
    figure.tight_layout()
    # without the program's name and version in it, the same data give the same bytes
    figure.savefig(plot, metadata={"Software": None})
    pyplot.close(figure)
