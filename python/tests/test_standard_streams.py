import os
import subprocess
import sys
import unittest

PROGRAM = """
import os, sys
from almanac_worker.output.standard_streams import StandardStreams
standard = StandardStreams()
sys.stdout.close()
os.close(0), os.close(2)
sys.stderr = None
other = open(sys.argv[1], "w")
standard.mend()
print("out")
sys.stderr.write("err\\n")
os.write(1, b"raw\\n")
print(repr(sys.stdin.read()), os.path.getsize(sys.argv[1]))
standard.mend()
"""


class Mending(unittest.TestCase):
    def test_what_was_closed_is_there_again_and_no_other_file_gets_what_is_printed(self):
        here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, os.devnull],
            input="in",
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": here},
        )
        self.assertEqual((done.stdout, done.stderr), ("out\nraw\n'in' 0\n", "err\n"))


if __name__ == "__main__":
    unittest.main()
