import cProfile
import os
import subprocess
import threading
import unittest

from almanac_worker.shared.process import Variable, raise_in_thread, settle_in_thread


def seen_by_programs():
    return subprocess.run(["sh", "-c", "printf %s \"${ALMANAC_TRIED-none}\""], capture_output=True, text=True).stdout


class AVariableThatEachTaskSets(unittest.TestCase):
    def tearDown(self):
        os.environ.pop("ALMANAC_TRIED", None)

    def test_is_seen_by_programs_as_it_was_set_last(self):
        variable = Variable(b"ALMANAC_TRIED")
        seen = []
        for value, anew in [(b"a long one", True), (b"short", False), (b"", False), (b"x" * 500, False), (b"y", False)]:
            variable.set(value, anew)
            seen.append(seen_by_programs())
        self.assertEqual(seen, ["a long one", "short", "", "x" * 500, "y"])

    def test_is_set_again_where_somebody_else_set_or_removed_it(self):
        variable = Variable(b"ALMANAC_TRIED")
        variable.set(b"one", True)
        os.environ["ALMANAC_TRIED"] = "another"
        self.assertEqual(seen_by_programs(), "another")
        variable.set(b"two", True)
        self.assertEqual(seen_by_programs(), "two")
        os.unsetenv("ALMANAC_TRIED")
        self.assertEqual(seen_by_programs(), "none")
        variable.set(b"three", True)
        self.assertEqual(seen_by_programs(), "three")


class Interrupted(BaseException):
    pass


class AnInterruption(unittest.TestCase):
    def test_has_come_when_it_is_settled_and_leaves_nothing(self):
        me, came = threading.get_ident(), []
        for pending in (False, True):
            try:
                if pending:
                    raise_in_thread(me, Interrupted)
                settle_in_thread(me, Interrupted)
            except Interrupted:  # at the step after it was raised
                came.append(pending)
                settle_in_thread(me, Interrupted)
        self.assertIn(came, [[], [True]])
        self.assertEqual(cProfile.Profile().runcall(lambda: sum(range(10))), 45)


if __name__ == "__main__":
    unittest.main()
