"""Dask: one worker with a thread for each task at once, in this process: its fastest set-up on one machine."""

import dask
import peer
import steps
from distributed import Client, LocalCluster


def main(parallel):
    cluster = LocalCluster(n_workers=1, threads_per_worker=parallel, processes=False, dashboard_address=None)
    client = Client(cluster)
    leaf, add, check = dask.delayed(steps.leaf), dask.delayed(steps.add), dask.delayed(steps.check)

    def run(times, length):
        leaves = [leaf(index, seconds, length) for index, seconds in enumerate(times)]
        return client.compute(check(peer.tree(leaves, add))).result()

    peer.measured("dask", run, 64)
    client.close()
    cluster.close()


if __name__ == "__main__":
    main(peer.cell()["parallel"])
