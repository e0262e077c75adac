"""Prefect: a flow of tasks in threads, with a server of its own."""

import peer
import steps
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner


def main(parallel):
    leaf, add, check = task(steps.leaf), task(steps.add), task(steps.check)

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=parallel))
    def seed(times, length):
        leaves = [leaf.submit(index, seconds, length) for index, seconds in enumerate(times)]
        return check.submit(peer.tree(leaves, add.submit)).result()

    peer.measured("prefect", seed, 8)


if __name__ == "__main__":
    main(peer.cell()["parallel"])
