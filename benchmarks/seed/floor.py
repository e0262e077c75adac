"""The floor: the same functions in bare threads, which start the deepest work that is ready."""

import heapq
import threading

import peer
import steps


def run(times, length, parallel):
    """Every thread takes the deepest task that is ready. Nothing is scheduled, recorded or moved."""
    n = len(times)
    width = [n]
    while width[-1] > 1:
        width.append((width[-1] + 1) // 2)
    lock = threading.Lock()
    wake = threading.Condition(lock)
    ready = []
    parts = {}
    state = {"leaf": 0, "left": 1}
    result = []

    def done(level, index, value):
        """A value is there: the addition that it completes is ready, or it goes up by itself."""
        while True:
            if level == len(width) - 1:
                result.append(value)
                wake.notify_all()
                return
            if index ^ 1 < width[level]:
                other = parts.pop((level, index ^ 1), None)
                if other is None:
                    parts[level, index] = value
                else:
                    heapq.heappush(ready, (-level, index, value, other))
                    wake.notify()
                return
            level, index = level + 1, index // 2

    def work():
        while True:
            with lock:
                while not result and not ready and state["leaf"] >= n:
                    wake.wait()
                if result:
                    return
                if ready:
                    negative, index, a, b = heapq.heappop(ready)
                    level, at = 1 - negative, index // 2
                else:
                    a = b = None
                    level, at = 0, state["leaf"]
                    state["leaf"] += 1
            value = steps.leaf(at, times[at], length) if a is None else steps.add(a, b)
            a = b = None
            with lock:
                done(level, at, value)
            value = None

    threads = [threading.Thread(target=work) for _ in range(parallel)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return steps.check(result[0])


if __name__ == "__main__":
    parallel = peer.cell()["parallel"]
    peer.measured("floor", lambda times, length: run(times, length, parallel), 64)
