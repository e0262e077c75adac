"""Means of the combined data, their plots, and the page that shows them with the state of the files."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

BLOCK = 64 << 20  # bytes read at once
ROWS = 1000  # files shown on the page; the catalogue has them all
CELLS = 1200  # cells of the map in each direction; more are passed over


def means(dataset: Any, along: Any) -> dict[str, Any]:
    """The mean over time of the first variable on a map, and its area mean at each time, read in blocks."""
    dim = along.dims[0]
    names = [str(n) for n, v in dataset.data_vars.items() if dim in v.dims and v.ndim > 2 and v.dtype.kind in "iuf"]
    if not names:
        raise ValueError("no variable has time and two dimensions of space: there is nothing to plot")
    name = min(names)
    variable = dataset[name]
    y, x = [d for d in variable.dims if d != dim][-2:]
    variable = variable.isel({d: 0 for d in variable.dims if d not in (dim, y, x)}).transpose(dim, y, x)
    latitude, longitude = (coordinate(dataset, what, (y, x)) for what in ("latitude", "longitude"))
    weights = np.ones(variable.shape[1:])
    if latitude is not None:
        cosine = np.cos(np.deg2rad(latitude.astype("f8")))
        weights *= cosine if cosine.ndim == 2 else cosine[:, None]
    total, count, series = np.zeros(variable.shape[1:]), np.zeros(variable.shape[1:], int), []
    steps = max(1, BLOCK // max(1, variable.dtype.itemsize * weights.size))
    for start in range(0, along.size, steps):
        values = variable.isel({dim: slice(start, start + steps)}).values.astype("f8")
        there = np.isfinite(values)
        values[~there] = 0
        total += values.sum(axis=0)
        count += there.sum(axis=0)
        area = (there * weights).sum(axis=(1, 2))
        series.append(ratio((values * weights).sum(axis=(1, 2)), area))
    about = variable.attrs
    title = about.get("long_name") or about.get("standard_name") or name
    return {
        "name": name,
        "units": str(about.get("units", "")),
        "title": str(title).replace("_", " "),
        "mean": ratio(total, count),
        "series": np.concatenate(series),
        "latitude": latitude,
        "longitude": longitude,
        "times": along.values,
    }


def ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Means, NaN where nothing was counted."""
    return np.divide(total, count, where=count > 0, out=np.full(total.shape, np.nan))


def coordinate(dataset: Any, what: str, dims: tuple[str, str]) -> Any:
    """The values of latitude or longitude over one or both of the dimensions of space, or None."""
    own = dims[0] if what == "latitude" else dims[1]
    for variable in dataset.variables.values():
        if variable.attrs.get("standard_name") == what and variable.dims in ((own,), dims):
            return variable.values
    return None


def draw_map(found: dict[str, Any], to: Path) -> None:
    figure, axes = canvas(10, 3.8)
    mean, latitude, longitude = found["mean"], found["latitude"], found["longitude"]
    sy, sx = (-(-n // CELLS) for n in mean.shape)
    if all(c is not None and c.ndim == 1 for c in (latitude, longitude)):
        image = axes.pcolormesh(longitude[::sx], latitude[::sy], mean[::sy, ::sx], shading="nearest", cmap="viridis")
        axes.set(xlabel="longitude / °", ylabel="latitude / °")
    else:
        downwards = latitude is not None and latitude.ndim == 2 and latitude[0].mean() > latitude[-1].mean()
        image = axes.imshow(
            mean[::-sy, ::sx] if downwards else mean[::sy, ::sx],
            origin="lower",
            aspect="auto",
            cmap="viridis",
            interpolation="nearest",
            extent=(0, mean.shape[1], 0, mean.shape[0]),
        )
        axes.set(xlabel="column of the grid", ylabel="row of the grid")
    axes.set_facecolor("#d5d8dc")  # where there are no data
    axes.set_title(f"{found['title']}: mean of {len(found['series'])} times", loc="left")
    figure.colorbar(image, ax=axes, label=found["units"], pad=0.02)
    save(figure, to)


def draw_series(found: dict[str, Any], to: Path) -> None:
    from datetime import datetime

    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    figure, axes = canvas(10, 3.2)
    # A calendar of 360 days has days that no other has: to who reads the plot the 28th will do.
    times = [datetime.fromisoformat(t if real(t) else t[:8] + "28" + t[10:]) for t in found["labels"]]
    marker = "o" if len(times) < 100 else ""
    axes.plot(times, found["series"], color="#1f6feb", linewidth=1.4, marker=marker, markersize=3)
    axes.set_ylabel(found["units"])
    axes.set_title(f"{found['title']}: mean over the area", loc="left")
    axes.grid(color="#e1e4e8")
    locator = AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    save(figure, to)


def real(time: str) -> bool:
    from datetime import date

    try:
        date.fromisoformat(time[:10])
        return True
    except ValueError:
        return False


def canvas(width: float, height: float) -> tuple[Any, Any]:
    # Not pyplot: it keeps every figure in a register of the process, and asks for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def save(figure: Any, to: Path) -> None:
    # Its name says neither format nor where it is; the library's version in the file would change its bytes.
    figure.savefig(to, format="png", metadata={"Software": None})


STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2328; max-width: 1040px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
p, dt { color: #57606a; margin: .3rem 0 }
dl { display: flex; flex-wrap: wrap; gap: .8rem 2.4rem; margin: 1.2rem 0 }
dt { font-size: .85rem; margin: 0 }
dd { margin: 0; font-size: 1.35rem }
dd, .n { font-variant-numeric: tabular-nums }
img { width: 100%; height: auto; margin-top: 1rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
td, th { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #d0d7de }
td { overflow-wrap: anywhere }
td.n, th.n { text-align: right }
.bad { color: #b42318 }
"""


def write_page(
    page: Path,
    found: dict[str, Any],
    mean_map: Path,
    area_mean: Path,
    reports: dict[str, Any],
    compliance: dict[str, Any],
    verdict: dict[str, str | None],
) -> None:
    bad = {name: reason for name, reason in verdict.items() if reason is not None}
    checked = [cf for name, cf in compliance.items() if verdict.get(name) is None and not cf["skipped"]]
    score, possible = (sum(cf[key] for cf in checked) for key in ("score", "possible"))
    tiles = {
        "files": f"{len(verdict)}",
        "quarantined": f'<span class="bad">{len(bad)}</span>' if bad else "0",
        "times": f"{len(found['series'])}",
        f"area mean, {escape(found['units'])}": f"{np.nanmean(found['series']):.2f}",
        "CF 1.8": f"{100 * score / possible:.1f} %" if possible else "not checked",
        "findings, high": f"{sum(cf['high'] for cf in checked)}" if checked else "–",
    }
    images = [(mean_map, "Map of the mean"), (area_mean, "Series of the area mean")]
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(found['title'])}</title><style>{STYLE}</style><h1>{escape(found['title'].capitalize())}</h1>"
        f"<p>{escape(found['name'])}, {escape(found['labels'][0])} to {escape(found['labels'][-1])}</p><dl>",
        *(f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in tiles.items()),
        "</dl>",
        *(f'<img alt="{alt}" src="data:image/png;base64,{text_of(image)}">' for image, alt in images),
    ]
    if bad:
        parts += ["<h2>Quarantined</h2>", table(("file", "reason"), [(name, reason) for name, reason in bad.items()])]
    good = [row(name, reports[name], compliance.get(name)) for name in reports if name not in bad]
    parts += ["<h2>Files</h2>", table(("file", "first time", "times", "least", "greatest", "CF 1.8", "high"), good)]
    page.write_text("\n".join(parts) + "\n", encoding="utf-8")


def text_of(image: Path) -> str:
    return base64.b64encode(image.read_bytes()).decode()


def row(name: str, report: dict[str, Any], cf: dict[str, Any] | None) -> tuple[Any, ...]:
    times = report["times"] or {"first": "", "count": ""}
    variable = report["variables"][0]
    figures = ("", "")
    if cf:
        figures = (cf["skipped"], "") if cf["skipped"] else (f"{cf['score']}/{cf['possible']}", cf["high"])
    ends = (float(variable["min"]), float(variable["max"]))
    return (name, times["first"], times["count"], *(f"{end:g}" for end in ends), *figures)


def table(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    right = lambda head: ' class="n"' if head in ("times", "least", "greatest", "CF 1.8", "high") else ""
    cell = lambda tag, head, content: f"<{tag}{right(head)}>{escape(str(content))}</{tag}>"
    line = lambda tag, cells: "<tr>" + "".join(cell(tag, h, c) for h, c in zip(heads, cells)) + "</tr>"
    more = f"<p>and {len(rows) - ROWS} more, in the catalogue</p>" if len(rows) > ROWS else ""
    return "\n".join(["<table>", line("th", heads), *(line("td", cells) for cells in rows[:ROWS]), "</table>" + more])
