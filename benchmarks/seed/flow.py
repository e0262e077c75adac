"""The seed's benchmark as a workflow in Python, with the same functions as tasks."""

from almanac import gather, task, workflow

# arrays are made in the environment of the tasks: the workflow's own process has none of its packages
_OPTIONS = {"env": "requirements.txt", "threads": 16}


@task(outputs={"array": object}, **_OPTIONS)
def leaf(index: int, seconds: float, length: int):
    import steps

    return steps.leaf(index, seconds, length)


@task(outputs={"array": object}, **_OPTIONS)
def add(a, b):
    return a + b


@task(outputs={"found": list}, **_OPTIONS)
def check(total):
    import steps

    return steps.check(total)


@workflow
async def main(times: list[float], length: int):
    items = [leaf(index, seconds, length).array for index, seconds in enumerate(times)]
    while len(items) > 1:
        pairs = [add(a, b).array for a, b in zip(items[::2], items[1::2])]
        items = pairs + items[len(pairs) * 2 :]
    return await check(items[0]).found


@task
def same(n: int) -> int:
    return n


@workflow
async def many(count: int):
    """So many calls that do nothing."""
    return len(await gather(*[same(n) for n in range(count)]))


@workflow
async def chain(length: int):
    """Calls that wait for each other."""
    for n in range(length):
        await same(n)
    return length
