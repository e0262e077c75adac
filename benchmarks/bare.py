"""What bare.ts talks to: a worker whose function does nothing, and a workflow of steps that wait for one another."""

import json
import sys


def same(value):
    return value


def worker():
    for line in sys.stdin:
        given = json.loads(line)
        result = [same(*args) for args in given] if given and isinstance(given[0], list) else same(*given)
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


def workflow():
    for line in sys.stdin:
        last = 0
        for _ in range(int(line)):
            sys.stdout.write(json.dumps([last]) + "\n")
            sys.stdout.flush()
            last = json.loads(sys.stdin.readline())
        sys.stdout.write("end\n")
        sys.stdout.flush()


{"worker": worker, "workflow": workflow}[sys.argv[1]]()
