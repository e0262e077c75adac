import unittest
from types import SimpleNamespace

from almanac_worker.attempts.table import AttemptTable
from almanac_worker.attempts.unreported_bytes import UnreportedBytes
from almanac_worker.tasks.task import Task


def _task(seq):
    order = SimpleNamespace(begins=False, function=SimpleNamespace(threads=2), held=())
    return Task(order, seq, {}, seq, "")


class AnAttemptThatIsCancelled(unittest.TestCase):
    def setUp(self):
        self.attempts = AttemptTable(UnreportedBytes())
        self.never_began = []

    def _wait(self, task):
        return self.attempts.wait(task, self.never_began.append)

    def _cancel(self, seq):
        return self.attempts.cancel(seq, lambda task: self.fail(f"{task.seq} had begun"))

    def test_before_it_is_read_waits_for_no_thread(self):
        self.assertIs(self._cancel(1), False)
        self.assertEqual([self._wait(_task(1)), self.attempts.has_next, self.never_began], [0, False, [1]])

    def test_while_it_waits_will_not_begin(self):
        self.assertEqual(self._wait(_task(1)), 1)
        self.assertIs(self._cancel(1), True)
        self.assertIs(self.attempts.has_next, False)

    def test_under_way_is_told_to_stop(self):
        task = _task(1)
        self._wait(task)
        self.attempts.next(False)
        told = []
        self.assertIs(self.attempts.cancel(1, told.append), False)
        self.assertEqual((told, task.cancelled), ([task], True))
