"""The steps of the forecast ingest as one plain script in one process: what the workflow is measured against.

    python baseline.py RAW_DIR OUT_DIR [MAX_HIGH]

Takes the NetCDF and GRIB files of RAW_DIR, or first lays out the record of `iris-sample-data` there if it is empty or
not there. MAX_HIGH quarantines files with more CF findings of high priority. Nothing is kept for a second run.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import steps

LEFT_OUT = (".part", ".tmp", ".idx")


def files_of(raw: Path) -> dict[str, Path]:
    found = {path.relative_to(raw).as_posix(): path for path in sorted(raw.rglob("*")) if path.is_file()}
    return {name: path for name, path in found.items() if not path.name.startswith(".") and path.suffix not in LEFT_OUT}


def place(directory: Path, name: str) -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def main(raw: Path, out: Path, max_high: int | None = None) -> int:
    started = time.perf_counter()
    laps: dict[str, float] = {}

    def lap(name: str) -> None:
        laps[name] = time.perf_counter() - started - sum(laps.values())

    if not raw.is_dir() or not files_of(raw):
        steps.acquire(raw=raw)
    lap("acquire")
    files = files_of(raw)
    reports = {name: steps.quality_control(path) for name, path in files.items()}
    lap("quality control")
    passed = [name for name, report in reports.items() if report["ok"]]
    report_of = lambda name: place(out / "compliance", name + ".json")
    compliance = {name: steps.compliance(files[name], report=report_of(name)) for name in passed}
    lap("compliance")
    verdict = steps.verdicts(reports, compliance, max_high)
    for name in passed:
        if verdict[name] is None:
            steps.index(files[name], refs=place(out / "refs", name))
    lap("index")
    index = out / "index.json"
    combined = steps.combine(out / "refs", raw, index=index)
    lap("combine")
    (out / "catalogue.sqlite").unlink(missing_ok=True)
    summary = steps.catalogue(reports, compliance, index, max_high, db=out / "catalogue.sqlite")
    lap("catalogue")
    plots = {"page": out / "page.html", "mean_map": out / "mean_map.png", "area_mean": out / "area_mean.png"}
    drawn = steps.plots(index, raw, reports, compliance, max_high, **plots)
    lap("plots")
    (out / "quality.json").write_text(json.dumps(reports, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for name, reason in summary["quarantined"].items():
        print(f"quarantined  {name}: {reason}")
    print(", ".join(f"{name} {seconds:.2f} s" for name, seconds in laps.items()))
    print(
        f"{summary['files']} files, {len(summary['quarantined'])} quarantined, {combined['times']} times, "
        f"mean {drawn['mean']:.2f} {drawn['units']}, {time.perf_counter() - started:.1f} s, results in {out}"
    )
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit((__doc__ or "").strip())
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) == 4 else None))
