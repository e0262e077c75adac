"""What a centre does to the files that it delivers, and what a reader finds in the results: for the forecast's tests.

    python centre.py COMMAND ARGUMENT...        run in a directory that holds `steps.py`
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import netCDF4
import xarray


def acquire(raw: str) -> None:
    """The packaged record as files."""
    sys.path.insert(0, ".")
    import steps

    steps.acquire(raw=Path(raw))


def follow(file: str, later: str, days: str) -> None:
    """A copy of a file, so many days later."""
    shutil.copyfile(file, later)
    with netCDF4.Dataset(later, "a") as dataset:
        time = dataset["time"]
        per_day = {"hours": 24, "days": 1, "seconds": 86400}[time.units.split()[0]]
        time[:] = time[:] + int(days) * per_day


def revise(file: str) -> None:
    """Other values, in place."""
    with netCDF4.Dataset(file, "a") as dataset:
        values = next(v for v in dataset.variables.values() if v.ndim > 2)
        values[:] = values[:] + 0.5


def mislabel(file: str) -> None:
    """A standard name that CF does not know: a finding of high priority."""
    with netCDF4.Dataset(file, "a") as dataset:
        next(v for v in dataset.variables.values() if v.ndim > 2).standard_name = "warmth"


def references(index: str, raw: str) -> None:
    """What xarray reads by combined references."""
    options = {"fo": index, "template_overrides": {"u": str(Path(raw).absolute())}, "remote_protocol": "file"}
    opened = {"storage_options": options, "consolidated": False}
    with xarray.open_dataset("reference://", engine="zarr", backend_kwargs=opened) as dataset:
        say(dataset)


def store(path: str) -> None:
    """What xarray reads in a Zarr store."""
    with xarray.open_zarr(path) as dataset:
        say(dataset)


def say(dataset: xarray.Dataset) -> None:
    variable = next(v for v in dataset.data_vars.values() if v.ndim > 2)
    times = [str(time)[:7] for time in dataset[variable.dims[0]].values]
    print(json.dumps({"times": times, "shape": list(variable.shape), "mean": round(float(variable.mean()), 1)}))


if __name__ == "__main__":
    commands = {f.__name__: f for f in (acquire, follow, revise, mislabel, references, store)}
    commands[sys.argv[1]](*sys.argv[2:])
