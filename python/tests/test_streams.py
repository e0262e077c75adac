import unittest

from almanac_worker.failures import cut
from almanac_worker.streams import Lines


class TaskLines(unittest.TestCase):
    def texts(self, lines):
        return [(stream, text) for stream, text, _ in lines]

    def test_lines_are_cut_where_they_end_by_stream(self):
        lines = Lines(1000)
        lines.add("stdout", "a")
        lines.add("stderr", "x\ny")
        lines.add("stdout", "b\nc\n\n")
        self.assertEqual(self.texts(lines.take(False)), [("stderr", "x"), ("stdout", "ab"), ("stdout", "c"), ("stdout", "")])
        self.assertEqual(self.texts(lines.take(True)), [("stderr", "y")])

    def test_no_more_than_the_limit_is_kept(self):
        lines = Lines(10)
        lines.add("stdout", "12345\n6789")
        lines.add("stdout", "0" * 100)
        self.assertEqual(
            self.texts(lines.take(True)),
            [("stdout", "12345"), ("stdout", "6789"), ("stderr", "… 100 more characters were written and dropped")],
        )


class Cutting(unittest.TestCase):
    def test_the_middle_is_left_out(self):
        self.assertEqual(cut("abc", 3), "abc")
        self.assertEqual(cut("a" * 50 + "b" * 50, 10), "aaaaa\n… 90 characters left out …\nbbbbb")


if __name__ == "__main__":
    unittest.main()
