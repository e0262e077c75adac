"""Workflows of the benchmark of workflows in Python; as a program, the first call after `import almanac`."""

import sys
import time

begun = time.perf_counter(), time.time()

from almanac import run, task, workflow  # noqa: E402


@task
def same(n: int) -> int:
    return n


@task
def moment() -> float:
    return time.time()


@workflow
async def chain(count: int):
    """Microseconds of a step that waits for the one before it: of the first `count`, and of as many after four times that."""
    for n in range(200):
        await same(n)
    times = []
    for part in range(5):
        began = time.perf_counter()
        for n in range(count):
            await same(part * count + n)
        times.append(1e6 * (time.perf_counter() - began) / count)
    return [times[0], times[-1]]


@workflow
async def steps(count: int):
    """Microseconds of each step of a chain, from the first on."""
    times = []
    for n in range(count):
        began = time.perf_counter()
        await same(n)
        times.append(1e6 * (time.perf_counter() - began))
    return times


@workflow
async def submit(count: int):
    """Calls a second that the engine takes: what it is asked last is answered when it has taken all."""
    await same(-1)
    began = time.perf_counter()
    for n in range(count):
        same(n)
    await run.now()
    return count / (time.perf_counter() - began)


@workflow
async def first():
    return await moment()


if __name__ == "__main__":
    executed = run(first).output
    print(executed - begun[1], executed - float(sys.argv[1]))
