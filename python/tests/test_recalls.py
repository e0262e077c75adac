import unittest

from almanac_worker.attempts.recalls import Recalls


class AnAttemptThatWasAskedBack(unittest.TestCase):
    def test_is_executed_by_its_last_copy_alone(self):
        recalled = Recalls()
        recalled.add([1, 2])
        recalled.add([1])
        read = [(seq, recalled.take(seq)) for seq in (1, 2, 1, 2, 1)]
        self.assertEqual(read, [(1, True), (2, True), (1, True), (2, False), (1, False)])
