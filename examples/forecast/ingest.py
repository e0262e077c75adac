"""
Forecast ingest: files that a centre delivers go through quality control, a compliance check, indexing by kerchunk
and a catalogue. The steps are plain Python functions in `steps.py`; this says what follows from what, as `ingest.ts`
does.

    almanac run ingest.py                           54 months of sea-surface temperature, from a package
    almanac run ingest.py --input raw=./my-files    NetCDF or GRIB files of your own
"""

from typing import Annotated

from almanac import Dir, file, module, run, task, workflow

# read, and imported only where the packages are
steps = module("steps.py", env="requirements.txt")

# it reads a package, which the requirements pin: the same each time
acquire = task(steps.acquire, cache=True, outputs={"raw": Dir, "summary": dict})
quality_control = task(steps.quality_control, timeout="10m", outputs={"quality": dict})
compliance = task(steps.compliance, timeout="10m", outputs={"report": file("report.json"), "findings": dict})
index = task(steps.index, timeout="10m", outputs={"refs": file("refs.json"), "summary": dict})
combine = task(steps.combine, outputs={"index": file("index.json"), "summary": dict})
to_zarr = task(steps.to_zarr, outputs={"store": Dir, "summary": dict})
catalogue = task(steps.catalogue, outputs={"db": file("catalogue.sqlite"), "summary": dict})
plots = task(
    steps.plots,
    outputs={
        "page": file("page.html"),
        "mean_map": file("mean-map.png"),
        "area_mean": file("area-mean.png"),
        "summary": dict,
    },
)


@workflow(name="forecast")
async def main(
    raw: Annotated[Dir | None, "NetCDF or GRIB files; the record of a package if absent"] = None,
    max_high: Annotated[int | None, "findings of high priority that a file may have; no limit if absent"] = None,
    zarr: Annotated[bool, "write the data as a Zarr store too"] = False,
) -> dict[str, object]:
    scenes = acquire().raw if raw is None else raw
    checked = quality_control.map(scenes)
    sound = scenes.filter(checked.quality, lambda quality: quality["ok"])
    complied = compliance.map(sound)
    passed = sound
    if max_high is not None:
        passed = sound.filter(complied.findings, lambda found: found["high"] + len(found["crashed"]) <= max_high)
    found = {"reports": checked.quality, "compliance": complied.findings, "max_high": max_high}

    indexed = index.map(passed)
    combined = combine(indexed.refs, passed)
    listed = catalogue(index=combined.index, **found)
    drawn = plots(index=combined.index, raw=passed, **found)

    summary = await combined.summary
    files = len(await checked.quality.all())
    run.metric("files", files)
    run.metric("quarantined", files - summary["files"])
    run.artifact("mean over time", "image", path=await drawn.mean_map)
    run.artifact("area mean", "image", path=await drawn.area_mean)
    return {
        "files": files,
        "quarantined": files - summary["files"],
        "times": summary["times"],
        "index": combined.index,
        "catalogue": listed.db,
        "page": drawn.page,
        "mean_map": drawn.mean_map,
        "area_mean": drawn.area_mean,
        "references": indexed.refs,
        "compliance": complied.report,
        **({"zarr": to_zarr(combined.index, passed).store} if zarr else {}),
    }
