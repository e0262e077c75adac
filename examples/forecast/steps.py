"""The steps of a forecast ingest: plain functions, for a workflow, a test or a notebook.

Each takes its inputs as arguments and, for each file or directory it makes, the path to leave it at as a keyword
argument of that name; what it returns are plain values that fit JSON. Heavy libraries are imported by the step that
needs them. Reports are passed on as a dict by the file's path within the raw directory, or as a directory of JSON
files named likewise.
"""

from __future__ import annotations

import json
import re
import sqlite3
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from forecast_combine import combined, load, open_over
from forecast_files import BadFile, digest, format_of, short
from forecast_grib import describe_grib
from forecast_judge import RANGES, judge_missing, judge_range, judge_time
from forecast_netcdf import describe_netcdf
from forecast_references import dump, grib_references, netcdf_references

BLOCK = 64 << 20  # bytes of data held at once on the way to a Zarr store
Report = dict[str, Any]
Reports = dict[str, Report] | Path


def acquire(*, raw: Path) -> Report:
    """Lays out the Met Office sea-surface temperature record of the package `iris-sample-data` as a centre receives it.

    Source: OSTIA monthly means, 2006-04 to 2010-09, K, 18 x 432 points of the tropics (UK Open Government Licence),
    one file of 54 steps in the package. Leaves in `raw` one NetCDF-4 file a month, `ostia_sst_YYYY-MM.nc`, with time
    unlimited and values, units and attributes as they were; the same bytes on each run.
    Returns `files`, `first` and `last` month. ModuleNotFoundError without the package.
    """
    import iris_sample_data
    import netCDF4

    raw.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(f"{iris_sample_data.path}/ostia_monthly.nc") as source:
        source.set_auto_maskandscale(False)
        time = source["time"]
        dates: Any = netCDF4.num2date(time[:], time.units, time.calendar)
        months = [f"{date.year:04}-{date.month:02}" for date in dates]
        if len(set(months)) < len(months):
            raise ValueError("the record holds a month more than once")
        content = {name: variable[...] for name, variable in source.variables.items()}
        for step, month in enumerate(months):
            with netCDF4.Dataset(str(raw / f"ostia_sst_{month}.nc"), "w", format="NETCDF4") as target:
                _copy_step(source, target, content, step)
    return {"files": len(months), "first": months[0], "last": months[-1]}


def _copy_step(source: Any, target: Any, content: dict[str, Any], step: int) -> None:
    target.set_fill_off()
    target.setncatts({name: source.getncattr(name) for name in source.ncattrs()})
    for name, dimension in source.dimensions.items():
        target.createDimension(name, None if name == "time" else dimension.size)
    for name, variable in source.variables.items():
        about = {key: variable.getncattr(key) for key in variable.ncattrs()}
        timed = variable.dimensions[:1] == ("time",)
        chunks = [1, *variable.shape[1:]] if timed else None
        copy = target.createVariable(
            name, variable.dtype, variable.dimensions, chunksizes=chunks, fill_value=about.pop("_FillValue", None)
        )
        copy.set_auto_maskandscale(False)
        copy.setncatts(about)
        copy[...] = content[name][step : step + 1] if timed else content[name]


def quality_control(file: Path, ranges: dict[str, list[float]] | None = None) -> Report:
    """Says whether a NetCDF or GRIB file is fit for use, and what is in it.

    Checked: it opens and can be read to its end; its times agree with the time in its name, if there is one
    (YYYY-MM, YYYYMMDD, YYYYMMDDHH, YYYYMMDD-YYYYMMDD, with or without T and dashes); values lie in the physical range
    of their kind (`ranges` in K by name or CF standard name, by default RANGES: sea surface 270 to 310); no time step
    of a variable is missing altogether.
    Returns `ok`, `reason` (None, or what is wrong in plain words), `checks` (of each "passed", "failed" or "not
    checked: why"), `file`, `format`, `bytes`, `sha256`, `times` (count, first, last), `bbox` (west, south, east,
    north in degrees), `variables` (name, standard_name, units, shape, min, max, missing).
    A bad file is a report, never an exception; one that is not there is an exception.
    """
    report: Report = {"ok": False, "reason": None, "checks": {}, "file": file.name, "format": None}
    report |= {"bytes": file.stat().st_size, "sha256": digest(file), "times": None, "bbox": None, "variables": []}
    try:
        kind = format_of(file)
        found = describe_grib(file) if kind == "GRIB" else describe_netcdf(file, kind)
    except BadFile as bad:
        return report | {"reason": str(bad), "checks": {"opens": "failed"}}
    problems = {
        "time": judge_time(file.name, found),
        "range": judge_range(file.name, found, RANGES | (ranges or {})),
        "missing": judge_missing(found),
    }
    reasons = [str(reason) for result, reason in problems.values() if result == "failed"]
    times = sorted(found["times"])
    report |= {key: found[key] for key in ("format", "bbox")}
    report["ok"], report["reason"] = not reasons, "; ".join(reasons) or None
    report["checks"] = {"opens": "passed"}
    report["checks"] |= {
        name: result if reason is None or result == "failed" else f"{result}: {reason}"
        for name, (result, reason) in problems.items()
    }
    if times:
        first, last = ("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*time) for time in (times[0], times[-1]))
        report["times"] = {"count": len(set(times)), "first": first, "last": last}
    report["variables"] = [{key: v[key] for key in v if key != "empty"} for v in found["variables"]]
    return report


def compliance(file: Path, *, report: Path) -> Report:
    """Checks a NetCDF file against CF 1.8 with the IOOS compliance checker.

    Leaves the whole result in `report` (JSON: each section's priority, score and messages).
    Returns `high`, `medium`, `low` (sections with findings, by priority), `score` of `possible` points, `crashed`
    (checks that failed themselves on this file, with the error: a gate should count them as findings) and `skipped`
    (None, or why nothing was checked: GRIB has no CF). Never goes to the network. Raises for no content of a file.
    """
    result: Report = {"high": 0, "medium": 0, "low": 0, "score": 0, "possible": 0, "crashed": [], "skipped": None}
    sections: list[Report] = []
    try:
        kind = format_of(file)
        if kind == "GRIB":
            result["skipped"] = "not NetCDF"
        else:
            sections = _check_cf(file, result)
    except BadFile as bad:
        result["skipped"] = str(bad)
    written = {"file": file.name, "standard": "CF 1.8", **result, "sections": sections}
    report.write_text(json.dumps(written, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return result


def _check_cf(file: Path, result: Report) -> list[Report]:
    """Runs the checker, fills in the figures, and gives its sections."""
    import netCDF4
    from compliance_checker.suite import CheckSuite

    from forecast_offline import OfflineCheck

    suite = CheckSuite()
    suite.checkers = {"cf:1.8": OfflineCheck}
    crashed: dict[str, Any] = {}
    groups: list[Any] = []
    try:
        with warnings.catch_warnings(), netCDF4.Dataset(str(file)) as dataset:
            warnings.simplefilter("ignore")
            groups, errors = suite.run_all(dataset, ["cf:1.8"])["cf:1.8"]
            crashed = {name: error for name, (error, _) in errors.items()}
    except Exception as error:  # the checker's own set-up reads the file as well
        crashed = {"set-up": error}
    place = lambda text: str(text).replace(str(file), file.name)
    result["crashed"] = [place(f"{name}: {type(error).__name__}: {error}") for name, error in sorted(crashed.items())]
    priorities = {3: "high", 2: "medium", 1: "low"}
    sections = []
    for group in groups:
        score, possible = group.value
        if possible == 0 or group.weight not in priorities:
            continue
        priority = priorities[group.weight]
        result["score"] += score
        result["possible"] += possible
        result[priority] += score < possible
        messages = sorted({_steady(place(message)) for message in _messages(group)})
        section = {"section": str(group.name), "priority": priority, "score": score, "possible": possible}
        sections.append(section | {"messages": messages})
    return sorted(sections, key=lambda section: (section["section"], section["priority"]))


def _steady(message: str) -> str:
    """The one message that spells out sets, and so in another order in each process, in alphabetical order."""
    if " are not a subset of dimensions for variable " not in message:
        return message
    return re.sub(r"\((.*?)\)", lambda match: f"({', '.join(sorted(match[1].split(', ')))})", message)


def _messages(group: Any) -> list[Any]:
    return list(group.msgs or []) + [message for child in group.children or [] for message in _messages(child)]


def index(file: Path, *, refs: Path) -> Report:
    """Makes kerchunk references of a NetCDF or GRIB file: where its chunks lie, so that they are read in place.

    Leaves them in `refs` (JSON, version 1). They name the file by its base name under the template `u`, "." unless
    `template_overrides` says where the data are; the same file gives the same bytes wherever it lies.
    GRIB messages become variables over their validity times. Chunks of fewer than 300 bytes are put in.
    Returns `arrays` and `chunks`. Raises for what kerchunk cannot index (an unsupported filter, several grids or sets
    of times in one GRIB file); BadFile for what quality control refuses.
    """
    found = grib_references(file) if format_of(file) == "GRIB" else netcdf_references(file)
    dump(found, refs)
    arrays = sum(key.endswith("/.zarray") for key in found)
    return {"arrays": arrays, "chunks": sum("/.z" not in key and not key.startswith(".z") for key in found)}


def combine(refs: Path, raw: Path, *, index: Path) -> Report:
    """Makes one reference file over time of those in the directory `refs`, and proves it on the data in `raw`.

    References lie in `refs` as their files do in `raw`. Leaves in `index` references that are relative to `raw`.
    Returns `files`, `times`, `first`, `last` and `variables` (name to shape).
    ValueError where files do not belong together (variables, grids, coding, times) or there are none; RuntimeError
    where the references do not lead to data.
    """
    root = str(raw.absolute())
    parts = load(refs, root)
    dump(combined(parts, root), index)
    with open_over(index, raw) as dataset:
        along = _time_of(dataset)
        for name, variable in dataset.data_vars.items():
            if along.dims[0] in variable.dims and variable.ndim > 2:
                # A chunk without a reference is read as missing; quality control has seen that no step is.
                for step in sorted({0, along.size - 1}):
                    if not bool(variable.isel({along.dims[0]: step}).notnull().any()):
                        raise RuntimeError(f"the references of {name} lead to no data at step {step}")
        shapes = {str(name): list(v.shape) for name, v in dataset.data_vars.items() if along.dims[0] in v.dims}
        first, last = _iso(along.values[0]), _iso(along.values[-1])
        return {"files": len(parts), "times": along.size, "first": first, "last": last, "variables": shapes}


def to_zarr(index: Path, raw: Path, *, store: Path) -> Report:
    """Writes the data behind a combined reference file as a Zarr store of its own, appended along time.

    `index` is what `combine` made, `raw` the directory of its data; both formats alike. Leaves in `store` a Zarr
    store (version 2, consolidated metadata) of one time step a chunk, built in order of time in blocks of at most
    64 MiB: data that did not change keep their chunks' bytes. Values stay packed as NetCDF had them, GRIB's are not.
    Returns `times`, `variables` and `appends`.
    """
    with open_over(index, raw) as dataset:
        along = _time_of(dataset)
        dim = along.dims[0]
        bytes_a_step = sum(v.dtype.itemsize * v.size // along.size for v in dataset.variables.values() if dim in v.dims)
        steps = max(1, BLOCK // max(1, bytes_a_step))
        for variable in dataset.variables.values():
            kept = ("units", "calendar", "dtype", "_FillValue", "missing_value", "scale_factor", "add_offset")
            variable.encoding = {key: variable.encoding[key] for key in kept if key in variable.encoding}
            variable.encoding["chunks"] = tuple(1 if d == dim else n for d, n in zip(variable.dims, variable.shape))
        starts = range(0, along.size, steps)
        for start in starts:
            block = dataset.isel({dim: slice(start, start + steps)}).load()
            if start == 0:
                block.to_zarr(store, mode="w", zarr_format=2, consolidated=True)
            else:
                fixed = [name for name in block.variables if dim not in block[name].dims]
                block.drop_vars(fixed).drop_encoding().to_zarr(store, append_dim=dim, consolidated=True)
        return {"times": along.size, "variables": sorted(map(str, dataset.data_vars)), "appends": len(starts)}


def _time_of(dataset: Any) -> Any:
    """The coordinate along which the files were combined."""
    for coordinate in dataset.coords.values():
        if coordinate.dims == (coordinate.name,) and "since" in coordinate.encoding.get("units", ""):
            return coordinate
    raise RuntimeError("the combined references hold no time coordinate")


def _iso(time: Any) -> str:
    return str(np.datetime_as_string(time, "s")) if isinstance(time, np.datetime64) else time.isoformat()


def verdicts(reports: Reports, compliance: Reports, max_high: int | None = None) -> dict[str, str | None]:
    """Each file's path with None, or the reason for which it is quarantined.

    By quality control, and where `max_high` is given by compliance: more findings of high priority than that, checks
    that crashed counted among them.
    """
    verdict = {}
    checked = by_file(compliance)
    for name, report in sorted(by_file(reports).items()):
        reason = None if report["ok"] else report["reason"]
        found = checked.get(name)
        if reason is None and found and max_high is not None:
            high = found["high"] + len(found["crashed"])
            if high > max_high:
                reason = f"compliance: {high} findings of high priority, at most {max_high} allowed"
        verdict[name] = reason
    return verdict


def by_file(reports: Reports) -> dict[str, Report]:
    """Reports by file: as they are, or read from a directory of JSON files."""
    if isinstance(reports, dict):
        return reports
    return {
        path.relative_to(reports).as_posix().removesuffix(".json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(reports.rglob("*"))
        if path.is_file()
    }


def catalogue(reports: Reports, compliance: Reports, index: Path, max_high: int | None = None, *, db: Path) -> Report:
    """Writes the catalogue of the files: an SQLite file to be asked for a time, an area, a variable.

    From the values of `quality_control` and `compliance` by file, and the combined references (for their digest).
    Leaves in `db` the tables `file` (one row each, quarantined ones with their reason), `variable`, `quality` and
    `dataset`. Times are ISO 8601, areas degrees as the file counts them, digests SHA-256 in hexadecimal.
    Returns `files`, `quarantined` (path to reason), `bytes`, `first`, `last`.
    """
    from forecast_catalogue import SCHEMA, rows

    reports, compliance = by_file(reports), by_file(compliance)
    verdict = verdicts(reports, compliance, max_high)
    with sqlite3.connect(db) as connection:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + SCHEMA)
        for table, values in rows(reports, compliance, verdict, digest(index)):
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
    connection.close()
    times = [reports[name]["times"] for name in reports if verdict[name] is None and reports[name]["times"]]
    return {
        "files": len(reports),
        "quarantined": {name: reason for name, reason in verdict.items() if reason is not None},
        "bytes": sum(report["bytes"] for report in reports.values()),
        "first": min((time["first"] for time in times), default=None),
        "last": max((time["last"] for time in times), default=None),
    }


def plots(
    index: Path,
    raw: Path,
    reports: Reports,
    compliance: Reports,
    max_high: int | None = None,
    *,
    page: Path,
    mean_map: Path,
    area_mean: Path,
) -> Report:
    """Draws the mean over time as a map and the area mean as a series, and a page with both and the files' state.

    `index` is what `combine` made, `raw` its data. The first variable by name with time and two dimensions of space is
    drawn, of a further dimension its first level; means over the area are weighted by the cosine of latitude.
    Leaves `page` (HTML that needs nothing else), `mean_map` and `area_mean` (PNG); same input, same bytes.
    Returns `variable`, `units`, `times`, `first`, `last`, `mean`, `least` and `greatest` area mean.
    """
    from forecast_page import draw_map, draw_series, means, write_page

    with open_over(index, raw) as dataset:
        along = _time_of(dataset)
        found = means(dataset, along)
        found["labels"] = [_iso(time) for time in along.values]
    draw_map(found, mean_map)
    draw_series(found, area_mean)
    reports, compliance = by_file(reports), by_file(compliance)
    write_page(page, found, mean_map, area_mean, reports, compliance, verdicts(reports, compliance, max_high))
    series = found["series"]
    return {
        "variable": found["name"],
        "units": found["units"],
        "times": len(series),
        "first": found["labels"][0],
        "last": found["labels"][-1],
        "mean": short(np.nanmean(series)),
        "least": short(np.nanmin(series)),
        "greatest": short(np.nanmax(series)),
    }
