"""The catalogue's tables, and what goes into them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

SCHEMA = """
CREATE TABLE file (
  path TEXT PRIMARY KEY, quarantined TEXT, format TEXT, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
  first TEXT, last TEXT, times INTEGER, west REAL, south REAL, east REAL, north REAL,
  cf_score INTEGER, cf_possible INTEGER, cf_high INTEGER, cf_medium INTEGER, cf_low INTEGER,
  cf_crashed INTEGER, cf_skipped TEXT
) WITHOUT ROWID;
CREATE TABLE variable (
  path TEXT NOT NULL REFERENCES file, name TEXT NOT NULL, standard_name TEXT, units TEXT, shape TEXT NOT NULL,
  least REAL, greatest REAL, missing INTEGER NOT NULL, PRIMARY KEY (path, name)
) WITHOUT ROWID;
CREATE TABLE quality (path TEXT NOT NULL REFERENCES file, check_name TEXT NOT NULL, result TEXT NOT NULL,
  PRIMARY KEY (path, check_name)) WITHOUT ROWID;
CREATE TABLE dataset (index_sha256 TEXT NOT NULL, files INTEGER NOT NULL, quarantined INTEGER NOT NULL);
CREATE INDEX file_by_time ON file (first, last);
CREATE INDEX variable_by_name ON variable (name, path);
"""


def rows(
    reports: dict[str, Any], compliance: dict[str, Any], verdict: dict[str, str | None], index: str
) -> Iterator[tuple[str, tuple]]:
    """Each row as its table's name and its values, always in the same order: equal input gives an equal file."""
    for path in sorted(reports):
        report, cf = reports[path], compliance.get(path) or {}
        times, bbox = report["times"] or {}, report["bbox"] or [None] * 4
        figures = [cf.get(key) for key in ("score", "possible", "high", "medium", "low")]
        if cf.get("skipped"):
            figures = [None] * len(figures)
        yield (
            "file",
            (
                path,
                verdict[path],
                report["format"],
                report["bytes"],
                report["sha256"],
                times.get("first"),
                times.get("last"),
                times.get("count"),
                *bbox,
                *figures,
                len(cf["crashed"]) if cf else None,
                cf.get("skipped"),
            ),
        )
        for v in report["variables"]:
            names = (v["name"], v["standard_name"], v["units"], json.dumps(v["shape"]))
            yield "variable", (path, *names, v["min"], v["max"], v["missing"])
        for check, result in report["checks"].items():
            yield "quality", (path, check, result)
    yield "dataset", (index, len(reports), sum(reason is not None for reason in verdict.values()))
