import os
import subprocess
import sys
import tempfile
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

FULL = """
import os, resource, sys
from almanac_worker.output.standard_streams import StandardStreams
kept = []
standard = StandardStreams(lambda stream, text: kept.append((stream, text)) or True)
standard.renew()
resource.setrlimit(resource.RLIMIT_FSIZE, (4, resource.RLIM_INFINITY))
print("one")
print("zwölf")
sys.stdout.buffer.write(b"raw")
sys.stdout.flush()
sys.stderr.write("err\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print("after", kept)
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

    def test_what_a_full_disk_has_no_room_for_is_kept_and_fails_nothing(self):
        here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        with tempfile.TemporaryFile() as out:
            done = subprocess.run(
                [sys.executable, "-c", FULL],
                stdout=out,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": here},
            )
            out.seek(0)
            printed = out.read().decode()
        kept = [("stdout", "zwölf\n"), ("stdout", "raw")]
        self.assertEqual((printed, done.stderr), (f"one\nafter {kept}\n", b"err\n"))


if __name__ == "__main__":
    unittest.main()
