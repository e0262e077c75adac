"""What checkers know of workflows: nothing here is run."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import almanac
from almanac import Dir, File, Future, FutureList, dataset, file, gather, map, pick, run, settled, stage, task, workflow

if TYPE_CHECKING:
    from typing_extensions import assert_type


@dataclass
class Quality:
    ok: bool
    score: float


@task
def double(n: int) -> int:
    return 2 * n


@task(retries={"count": 3, "max_delay": "1m"}, timeout=datetime.timedelta(minutes=5), on_failure="skip")
def total(numbers: Sequence[int], scale: float = 1.0) -> float:
    return sum(numbers) * scale


@task
async def fetched(n: int) -> str:
    return str(n)


@task(timeout="1m")
async def fetched_soon(n: int) -> str:
    return str(n)


@task(env="requirements.txt")
def judge(scene: Path) -> Quality:
    return Quality(scene.exists(), 1.0)


@task(outputs={"refs": file("refs.json"), "found": dict})
def index(scene: Path, *, refs: Path) -> dict[str, int]:
    refs.write_text("{}")
    return {"chunks": 1}


class Chunks(TypedDict):
    chunks: int
    names: list[str]


@task
def index_of(scene: Path) -> Chunks:
    return {"chunks": 1, "names": [scene.name]}


listing = almanac.command(["ls", "{in.folder}"], name="listing", inputs={"folder": Dir}, retries=2)


async def steps(n: int) -> str:
    return str(await double(await double(n)))


@workflow
async def child(scene: File, n: int = 1) -> float:
    return await total([n])


@workflow
def plain(n: int) -> int:
    return double(n).result() + 1


@workflow
async def main(raw: Dir, scene: File) -> dict[str, object]:
    one = double(1)
    assert_type(one, Future[int])
    assert_type(await one, int)
    assert_type(one.result(), int)

    # what an async task gives is what its coroutine gives
    assert_type(fetched(1), Future[str])
    assert_type(await fetched_soon(one), str)

    # a future is taken where its value is declared, in a list or alone, and a file where a path is
    many = [double(n) for n in range(3)]
    assert_type(many, list[Future[int]])
    assert_type(await total([one, 2, 3]), float)
    assert_type(await total(many, scale=total([1])), float)
    assert_type((await judge(scene)).score, float)

    # fields of futures are not known, unless a function of the value names them
    assert_type(pick(judge(scene), lambda quality: quality.score), Future[float])
    assert_type(await pick(index_of(scene), lambda found: found["chunks"]), int)
    double(pick(index_of(scene), lambda found: found["chunks"]))

    # what it is given is still checked
    double("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    double(m=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    task(retry=3)(plain.function)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]

    # fields and items of a result that is not known yet; to pyright they are anything
    assert_type(judge(scene).score, Future[Any])  # pyright: ignore[reportAssertTypeFailure]
    assert_type(index(scene).refs, Future[Any])  # pyright: ignore[reportAssertTypeFailure]
    assert_type(one.key, Future[Any])  # pyright: ignore[reportAssertTypeFailure]

    assert_type(double.map([1, 2]), FutureList[int])
    assert_type(await double.map([1, 2]).all(), list[int])
    assert_type(index.map(raw), Future[Any])
    assert_type(index.map(raw).refs, Future[Any])  # pyright: ignore[reportAssertTypeFailure]
    assert_type(double.options(retries=1)(1), Future[int])
    assert_type(double.key("a")(1), Future[int])

    # `asyncio` knows what they give
    assert_type(await asyncio.gather(one, double(2)), tuple[int, int])
    first, second = await asyncio.gather(one, fetched(1))
    assert_type(first, int)
    assert_type(second, str)
    each = await asyncio.gather(*many)
    assert_type(each, list[int])
    assert_type(await asyncio.gather(*[double(n) for n in range(3)]), list[int])
    assert_type(await asyncio.gather(*double.map([1, 2])), list[int])
    mixed = await asyncio.gather(steps(1), one)
    assert_type(mixed, tuple[str, int])
    for ended in asyncio.as_completed([double(1), double(2)]):
        soonest = await ended
        assert_type(soonest, int)
    assert_type(await asyncio.wait_for(one, 3), int)
    assert_type(await asyncio.shield(one), int)
    over, pending = await asyncio.wait([asyncio.ensure_future(one)])
    print(len(over), len(pending))
    # and what it gives may have fields of the names that futures of `asyncio` have
    judge(pick(judge(scene), lambda quality: scene))
    judge(index.map(raw).settled().done)

    assert_type(await gather(*many), list[int])
    assert_type(await gather(one, one), list[int])
    assert_type(await map(steps, [1, 2]).all(), list[str])
    assert_type(await map(double, [1, 2], key=str).all(), list[int])
    assert_type(await stage("last", lambda: steps(1)), str)
    assert_type(await settled(many), list[dict[str, Any]])

    assert_type(await child(scene), float)
    assert_type(await plain(3), int)
    assert_type(await dataset("words").read(), Dir)
    assert_type(await run.now(), datetime.datetime)
    assert_type(await run.sleep("10m"), None)
    assert_type(await run.ask(Quality, title="Is it?"), Quality)
    assert_type(await run.ask({"ok": bool}, title="Is it?"), dict[str, Any])
    assert_type(listing(folder=raw), Future[Any])
    return {"all": almanac.all(many)}


def outside() -> None:
    """The function itself, whatever a checker takes it for."""
    value: int = double(4)
    more = double(4) + 1
    less = 1 - double(4)
    for one in sorted([double(2), double(1)]):
        print(f"{one}", one < 2, float(one), len(fetched(1)), -one)
    print(value + 1, more, less, almanac.run(main, raw=Path("raw"), scene=Path("a.nc")).output)
