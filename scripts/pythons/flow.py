"""A small workflow with what differs between versions of Python: annotations, event loops, exceptions, fingerprints."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import json
import os
import pathlib
import sys
import tempfile
from typing import Annotated, Optional

import almanac
from almanac import Dir, File, TaskFailed, gather, run, task, workflow


class Band(enum.Enum):
    X = "x"
    KA = "ka"


@dataclasses.dataclass
class Grid:
    band: Band
    values: list[float]
    about: Optional[str] = None


@task(cache=True)
def grid(n: int, band: Band = Band.X) -> Grid:
    return Grid(band, [i / 2 for i in range(n)])


@task(cache=True)
def total(grid: Grid) -> float:
    return sum(grid.values)


@task(outputs={"words": File})
def count(text: pathlib.Path, words: pathlib.Path) -> None:
    words.write_text(str(len(text.read_text().split())))


@task
def fails(n: int) -> int:
    raise ValueError(f"no {n}")


@workflow
async def main(raw: Dir, n: Annotated[int, "how many"] = 3):
    made = [grid(i, Band.KA) for i in range(n)]
    sums = await asyncio.gather(*[total(one) for one in made])
    first = await made[1]
    await run.sleep("1ms")
    try:
        await fails(7)
    except TaskFailed as error:
        failed = [error.type, str(error).splitlines()[0]]
    return {"sums": sums, "is": first.band is Band.KA, "counted": count.map(raw).words, "failed": failed, "all": gather(total(made[2]))}


@workflow
def plain(n: int = 4):
    while n < 20:
        n = int(total(grid(n)).result()) + n
    return n


if __name__ == "__main__":
    # `python flow.py FOLDER`: what it gave, how many tasks ran at first, and how many when it was asked again
    os.chdir(sys.argv[1])
    with tempfile.TemporaryDirectory() as raw:
        for name, text in {"a.txt": "one two", "b.txt": "three"}.items():
            pathlib.Path(raw, name).write_text(text)
        runs = [almanac.run(main, raw=pathlib.Path(raw)) for _ in range(2)]
        words = sorted(path.read_text() for path in runs[0].output.pop("counted").path.iterdir())
        runs[1].output.pop("counted")
        loop = almanac.run(plain)
    told = [one.executed for one in runs]
    print(json.dumps([runs[0].output == runs[1].output, runs[0].output, words, told, loop.output]))
