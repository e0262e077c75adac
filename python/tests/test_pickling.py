import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ProcessPoolExecutor

from almanac import command, task, workflow


@task
def double(n: int) -> int:
    return 2 * n


@workflow
async def main(n: int):
    return await double(n)


PROGRAM = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from almanac import task

@task(retries=2)
def half(n: float) -> float:
    return n / 2

if __name__ == "__main__":
    for how in "spawn", "forkserver", "fork":
        with ProcessPoolExecutor(1, multiprocessing.get_context(how)) as pool:
            print(list(pool.map(half, [1, 2])))
"""


class TasksAndWorkflowsArePickled(unittest.TestCase):
    def test_by_where_they_are(self):
        for one in (double, main):
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                self.assertIs(pickle.loads(pickle.dumps(one, protocol)), one)
            self.assertIs(copy.deepcopy(one), one)

    def test_with_other_options_by_what_they_vary(self):
        urgent = double.options(priority=10)
        self.assertIs(pickle.loads(pickle.dumps(urgent)), urgent)
        patient = pickle.loads(pickle.dumps(urgent.options(timeout="5m")))
        self.assertEqual(patient.definition()["options"], urgent.options(timeout="5m").definition()["options"])

    def test_as_commands_by_what_they_are(self):
        count = command("wc -l {text}", name="count", inputs={"text": str})
        self.assertEqual(pickle.loads(pickle.dumps(count)).definition(), count.definition())

    def test_for_processes_that_import_the_module_anew(self):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            self.assertEqual(list(pool.map(double, [1, 2])), [2, 4])

    def test_in_a_program_for_its_processes(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "program.py")
            with open(file, "w") as out:
                out.write(PROGRAM)
            paths = os.pathsep.join(sys.path)
            said = subprocess.run([sys.executable, file], env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True)
        self.assertEqual((said.stdout, said.stderr), ("[0.5, 1.0]\n" * 3, ""))


if __name__ == "__main__":
    unittest.main()
