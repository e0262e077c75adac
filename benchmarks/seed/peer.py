"""What the scripts of the peers share: the cell, the marks around what is measured, the result."""

import json
import sys


def cell():
    with open(sys.argv[1]) as file:
        return json.load(file)


def measured(name, run, warm_up):
    """Runs a small workflow first, then the one that counts. `run(times, length)` gives what `check` gives."""
    given = cell()
    run([0.0] * warm_up, 1000)
    print("begin", flush=True)
    found = run(given["times"], given["length"])
    print("end " + json.dumps(found), flush=True)


def tree(items, add):
    """Pairs are added, level by level, until one is left."""
    while len(items) > 1:
        pairs = [add(a, b) for a, b in zip(items[::2], items[1::2])]
        items = pairs + items[len(pairs) * 2 :]
    return items[0]
