import sys
import threading
import unittest

from almanac_worker.shared.failures import cut
from almanac_worker.output.lines import Lines


class TaskLines(unittest.TestCase):
    def texts(self, lines, end):
        said = []
        lines.tell(said.extend, end)
        return [(stream, text) for stream, text, _ in said]

    def test_lines_are_cut_where_they_end_by_stream(self):
        lines = Lines(1000)
        lines.add("stdout", "a")
        lines.add("stderr", "x\ny")
        lines.add("stdout", "b\nc\n\n")
        self.assertEqual(self.texts(lines, False), [("stderr", "x"), ("stdout", "ab"), ("stdout", "c"), ("stdout", "")])
        self.assertEqual(self.texts(lines, True), [("stderr", "y")])

    def test_no_more_than_the_limit_is_kept(self):
        lines = Lines(10)
        lines.add("stdout", "12345\n6789")
        lines.add("stdout", "0" * 100)
        self.assertEqual(
            self.texts(lines, True),
            [("stdout", "12345"), ("stdout", "6789"), ("stderr", "… 100 more characters were written and dropped")],
        )

    def test_who_looks_in_between_takes_no_line_away_nor_changes_their_order(self):
        count = 20_000
        lines, said, over = Lines(1 << 30), [], threading.Event()

        def look():
            while not over.is_set():
                lines.peek(said.extend)

        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        looking = threading.Thread(target=look)
        looking.start()
        try:
            for n in range(count):
                lines.add("stdout", f"{n}\n")
            lines.tell(said.extend, True)
        finally:
            over.set()
            looking.join()
            sys.setswitchinterval(before)
        self.assertEqual([text for _, text, _ in said], [str(n) for n in range(count)])

    def test_who_looks_does_not_wait_for_the_task_that_speaks(self):
        lines, said = Lines(100), []
        lines.add("stdout", "a\n")
        looked = []

        def look_meanwhile(own):
            looking = threading.Thread(target=lambda: lines.peek(looked.extend))
            lines.add("stdout", "b\n")
            looking.start()
            looking.join()
            said.extend(own)

        lines.tell(look_meanwhile, False)
        lines.peek(looked.extend)
        self.assertEqual(([text for _, text, _ in said], [text for _, text, _ in looked]), (["a"], ["b"]))


class Cutting(unittest.TestCase):
    def test_the_middle_is_left_out(self):
        self.assertEqual(cut("abc", 3), "abc")
        self.assertEqual(cut("a" * 50 + "b" * 50, 10), "aaaaa\n… 90 characters left out …\nbbbbb")


if __name__ == "__main__":
    unittest.main()
