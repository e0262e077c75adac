"""Which edits of Python files change the fingerprint of a task."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest
from importlib.machinery import EXTENSION_SUFFIXES
from typing import Any, Dict, Optional

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from almanac_worker.fingerprint import fingerprints  # noqa: E402

Files = Dict[str, Optional[str]]

STEPS = '''
"""Steps."""
import os
import numpy as np
from helpers import half, other as another
import lib.grid
from lib import units

OFFSET = 10
LIMIT: int = 5
table = {"a": 1}

def shift(x):
    """Moves it."""
    return x + OFFSET  # by how much

def unrelated(x):
    return another(x) - 1

class Base:
    def size(self):
        return LIMIT

class Grid(Base):
    """A grid."""
    scale: int = 2

    def area(self):
        return self.size() * self.scale

def index(x, by=units.METRE):
    shifted = shift(x)
    cells = [half(one) for one in range(by)]
    return np.mean(cells) + shifted + Grid().area() + lib.grid.deep(x)

def combine(parts):
    return [unrelated(part) for part in parts]
'''

FILES: Files = {
    "steps.py": STEPS,
    "helpers.py": "def half(x):\n    return inner(x) / 2\n\ndef inner(x):\n    return x\n\ndef other(x):\n    return x\n",
    "lib/__init__.py": "",
    "lib/grid.py": "from . import shapes\n\ndef deep(x):\n    return shapes.ROUND + x\n\ndef flat(x):\n    return x\n",
    "lib/shapes.py": "ROUND = 1\nSQUARE = 2\n",
    "lib/units.py": "METRE = 3\nMILE = 4\n",
}


def edited(old: str, new: str, file: str = "steps.py") -> Files:
    text = FILES[file]
    assert text is not None and old in text, f"{file} has no {old!r}"
    return {file: text.replace(old, new)}


SAME: Dict[str, Files] = {
    "a comment is changed": edited("# by how much", "# by an offset"),
    "a docstring is changed": edited('"""Moves it."""', '"""Moves it by the offset."""'),
    "a docstring is removed": edited('    """A grid."""\n', ""),
    "the module's docstring is changed": edited('"""Steps."""', '"""Some steps."""'),
    "the layout is another": edited("return x + OFFSET  # by how much", "return (\n        x\n        + OFFSET\n    )"),
    "quotes are changed": edited('{"a": 1}', "{'a': 1}"),
    "a number is written in another way": edited("OFFSET = 10", "OFFSET = 0x0A"),
    "its lines end as on another system": {"steps.py": STEPS.replace("\n", "\r\n")},
    "blank lines are added": edited("def shift", "\n\n\ndef shift"),
    "a function that is not reached is changed": edited("another(x) - 1", "another(x) - 2"),
    "a function that is not reached is removed": edited("def unrelated(x):\n    return another(x) - 1\n", ""),
    "another task is changed": edited("[unrelated(part)", "[unrelated(part) + 1"),
    "a function is added before": edited("def shift", "def added(x):\n    return shift(x)\n\ndef shift"),
    "a constant is added": edited("OFFSET = 10", "ADDED = 3\nOFFSET = 10"),
    "a constant that is not reached is changed": edited('{"a": 1}', '{"a": 2}'),
    "definitions change places": {
        "steps.py": STEPS.replace("OFFSET = 10\nLIMIT: int = 5\n", "") + "\nLIMIT: int = 5\nOFFSET = 10\n"
    },
    "imports change places": edited(
        "import os\nimport numpy as np\nfrom helpers", "import numpy as np\nimport os\nfrom helpers"
    ),
    "an import is added": edited("import os\n", "import os\nimport json\n"),
    "an import that is not used is removed": edited("import os\n", ""),
    "another module's function that is not reached is changed": edited(
        "def other(x):\n    return x", "def other(x):\n    return -x", "helpers.py"
    ),
    "another module's constant that is not reached is changed": edited("SQUARE = 2", "SQUARE = 3", "lib/shapes.py"),
    "what is only executed as a program is added": edited(
        "def combine", 'if __name__ == "__main__":\n    print(combine([1]))\n\ndef combine'
    ),
    "what only a type checker reads is added": edited(
        "def combine",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from helpers import inner\n\ndef combine",
    ),
    "a local name hides a function that is changed": edited(
        "def unrelated(x):", "def cells(x):\n    return 1\n\ndef unrelated(x):"
    ),
    "a decorator of an unrelated function is changed": edited(
        "def unrelated", "import functools\n@functools.lru_cache\ndef unrelated"
    ),
    "the meaning of annotations is changed elsewhere": {
        "lib/__init__.py": "from __future__ import annotations\nA: int = 1\n"
    },
    "a module that does nothing is imported": {
        **edited("import os", "import os\nimport quiet"),
        "quiet.py": "X = 1\ndef f():\n    pass\n",
    },
}

DIFFERENT: Dict[str, Files] = {
    "its code is changed": edited("shifted = shift(x)", "shifted = shift(x + 1)"),
    "a text in it is changed": edited("return np.mean(cells)", "print('x')\n    return np.mean(cells)"),
    "an argument is renamed": edited("def index(x, by=units.METRE):", "def index(x, by=units.METRE, also=None):"),
    "a function that it calls is changed": edited("x + OFFSET", "x - OFFSET"),
    "a constant behind that is changed": edited("OFFSET = 10", "OFFSET = 11"),
    "the kind of a number is changed": edited("OFFSET = 10", "OFFSET = 10.0"),
    "a text takes the place of a number": edited("OFFSET = 10", "OFFSET = '10'"),
    "a constant with a type is changed": edited("LIMIT: int = 5", "LIMIT: int = 6"),
    "a class is changed": edited("scale: int = 2", "scale: int = 3"),
    "its base is changed": edited("return LIMIT", "return LIMIT + 1"),
    "a function of another module is changed": edited("inner(x) / 2", "inner(x) / 3", "helpers.py"),
    "a function behind that is changed": edited(
        "def inner(x):\n    return x", "def inner(x):\n    return -x", "helpers.py"
    ),
    "a function of a package's module is changed": edited("shapes.ROUND + x", "shapes.ROUND - x", "lib/grid.py"),
    "a constant behind a relative import is changed": edited("ROUND = 1", "ROUND = 7", "lib/shapes.py"),
    "a default is changed elsewhere": edited("METRE = 3", "METRE = 33", "lib/units.py"),
    "a decorator is added": edited("def index", "import functools\n@functools.lru_cache\ndef index"),
    "another package takes the name": edited("import numpy as np", "import cupy as np"),
    "a statement is added that is executed at import": edited("OFFSET = 10", "OFFSET = 10\nos.environ['X'] = '1'"),
    "an item is set at import": edited('{"a": 1}', '{"a": 1}\ntable["b"] = 2'),
    "another module executes something at import": edited("def flat", "print('grid')\n\ndef flat", "lib/grid.py"),
    "a package executes something at import": {"lib/__init__.py": "print('lib')\n"},
    "a module that executes something is imported": {
        **edited("import os", "import os\nimport loud"),
        "loud.py": "print('loud')\n",
    },
    "a constant is added to": edited("def shift", "OFFSET += 1\n\ndef shift"),
    "a function is defined anew": edited("class Base", "def shift(x):\n    return 0\n\nclass Base"),
    "a condition binds a name": edited(
        "OFFSET = 10", "import sys\nif sys.platform == 'linux':\n    OFFSET = 10\nelse:\n    OFFSET = 11"
    ),
    "what a name is imported from changes": edited(
        "from helpers import half,", "from lib.grid import flat as half\nfrom helpers import"
    ),
    "the meaning of annotations is changed": edited('"""Steps."""', '"""Steps."""\nfrom __future__ import annotations'),
    "a module comes between": {"numpy.py": "def mean(x):\n    return 0\n"},
}


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="almanac-fingerprint-"))
        self.addCleanup(shutil.rmtree, self.root)
        self._count = 0

    def write(self, files: Files, folder: str = "") -> str:
        base = os.path.join(self.root, folder) if folder else self.root
        for name, text in files.items():
            path = os.path.join(base, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if text is not None:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
        return base

    def of(self, files: Files, *functions: str, sites: list[str] | None = None) -> list[dict[str, Any]]:
        """Fingerprints of functions of `steps.py`, in a project of these files alone."""
        self._count += 1
        base = self.write({name: text and textwrap.dedent(text) for name, text in files.items()}, f"case{self._count}")
        self.last = base
        return fingerprints(base, [(os.path.join(base, "steps.py"), name) for name in functions], sites or [])

    def digest(self, files: Files, function: str = "index") -> str:
        (result,) = self.of(files, function)
        self.assertNotIn("failure", result)
        return str(result["digest"])


class Edits(Case):
    def test_a_task_is_the_same_where_nothing_that_it_reaches_changes(self) -> None:
        before = self.digest(FILES)
        for what, edit in SAME.items():
            with self.subTest(what):
                self.assertEqual(self.digest({**FILES, **edit}), before)

    def test_a_task_is_another_where_something_that_it_reaches_changes(self) -> None:
        before = self.digest(FILES)
        for what, edit in DIFFERENT.items():
            with self.subTest(what):
                self.assertNotEqual(self.digest({**FILES, **edit}), before)

    def test_where_the_files_lie_does_not_count(self) -> None:
        moved = {f"deeply/nested/{name}": text for name, text in FILES.items()}
        base = self.write(moved, "moved")
        file = os.path.join(base, "deeply", "nested", "steps.py")
        (result,) = fingerprints(base, [(file, "index")])
        self.assertEqual(result["digest"], self.digest(FILES))

    def test_another_task_is_not_changed_by_what_it_does_not_reach(self) -> None:
        before = self.digest(FILES, "combine")
        self.assertEqual(self.digest({**FILES, **edited("x + OFFSET", "x - OFFSET")}, "combine"), before)
        self.assertNotEqual(self.digest({**FILES, **edited("another(x) - 1", "another(x)")}, "combine"), before)


class Tasks(Case):
    """Functions under `@task`."""

    PLAIN = "def index(x):\n    return x\n"

    def test_options_are_no_code(self) -> None:
        for head in [
            "from almanac import task\n@task\n",
            "from almanac import task\n@task(retries=3)\n",
            "from almanac import File, task as step\n@step(outputs={'out': File}, retries=5)\n",
            "import almanac\n@almanac.task(timeout='1h')\n",
            "import almanac as a\nRETRIES = 2\n@a.task(retries=RETRIES)\n",
            "from almanac import task\nio = task(retries=3)\n@io\n",
            "import almanac, functools\nio = functools.partial(almanac.task, retries=3)\n@io(timeout='1h')\n",
        ]:
            with self.subTest(head):
                self.assertEqual(self.digest({"steps.py": head + self.PLAIN}), self.digest({"steps.py": self.PLAIN}))

    def test_other_decorators_count(self) -> None:
        for head in [
            "from almanac import task\nfrom functools import cache\n@task\n@cache\n",
            "def task(f):\n    return f\n@task\n",
            "from other import task\n@task\n",
            "from almanac import task\nfrom functools import partial\nio = partial(print, task)\n@io\n",
            "from almanac import task\nio = [task(retries=3)][0]\n@io\n",
        ]:
            with self.subTest(head):
                self.assertNotEqual(self.digest({"steps.py": head + self.PLAIN}), self.digest({"steps.py": self.PLAIN}))


class Scopes(Case):
    """A name counts where it is the module's, not where the language makes it a local one."""

    def differs(self, code: str) -> bool:
        """Does `index` depend on the value of the module's `N`?"""
        text = textwrap.dedent(code)
        return self.digest({"steps.py": f"N = 1\n{text}"}) != self.digest({"steps.py": f"N = 2\n{text}"})

    def test_names_of_the_module_count(self) -> None:
        for code in [
            "def index():\n    return N",
            "def index(x=N):\n    return x",
            "def index(x: N):\n    return x",
            "def index():\n    return lambda: N",
            "def index():\n    return [x for x in range(N)]",
            "def index():\n    return [N for x in range(3)]",
            "def index():\n    def inner():\n        return N\n    return inner",
            "def index():\n    class A:\n        N = N\n    return A",
            "def index():\n    class A:\n        N = 3\n        def f(self):\n            return N\n    return A",
            "def index():\n    global N\n    N = 3",
            "def index():\n    def inner():\n        global N\n        return N\n    N = 4\n    return inner",
            "def index():\n    x = f'{N}'",
            "def index(n):\n    match n:\n        case 1 if N: pass",
            "@N\ndef index(n):\n    pass",
            "def index():\n    N.x = 3",
            "def index():\n    del N.x",
            "async def index():\n    async with N: pass",
            "index = lambda: N",
            "index = other = N",
            "index, other = N, 3",
            "class index(N): pass",
            "class index(metaclass=N): pass",
            "def index(): return (lambda x=N: x)()",
            "def index(): return [y for x in [1] for y in N]",
            "def index(): return {N: 1 for x in [1]}",
        ]:
            with self.subTest(code):
                self.assertTrue(self.differs(code))

    def test_names_of_functions_do_not(self) -> None:
        for code in [
            "def index(N):\n    return N",
            "def index(*N):\n    return N",
            "def index(*, N=3):\n    return N",
            "def index():\n    N = 3\n    return N",
            "def index():\n    for N in range(3): print(N)",
            "def index():\n    return [N for N in range(3)]",
            "def index():\n    return (lambda N: N)",
            "def index():\n    with open('x') as N: return N",
            "def index():\n    try: pass\n    except E as N: return N",
            "def index():\n    import N\n    return N",
            "def index():\n    from a import b as N\n    return N",
            "def index():\n    def N(): pass\n    return N",
            "def index():\n    class N: pass\n    return N",
            "def index():\n    if (N := 3): return N",
            "def index():\n    [(N := x) for x in range(3)]\n    return N",
            "def index(n):\n    match n:\n        case [1, *N]: return N",
            "def index(n):\n    match n:\n        case {'a': 1, **N}: return N",
            "def index(n):\n    match n:\n        case N: return N",
            "def index():\n    N = 1\n    def inner():\n        nonlocal N\n        N = 2\n    return inner",
            "def index(n):\n    return n.N",
            "def index(n):\n    return n(N=3)",
            "def index(n):\n    'N'\n    return 'N'",
        ]:
            with self.subTest(code):
                self.assertFalse(self.differs(code))

    @unittest.skipIf(sys.version_info < (3, 12), "a syntax of Python 3.12")
    def test_type_parameters_are_names_of_functions(self) -> None:
        self.assertFalse(self.differs("def index[N](x: N) -> N:\n    return x"))
        self.assertTrue(self.differs("type index = N"))


class Modules(Case):
    def reaches(self, files: Files, file: str, old: str, new: str) -> bool:
        text = files[file]
        assert text is not None and old in text
        return self.digest(files) != self.digest({**files, file: text.replace(old, new)})

    def test_a_name_is_followed_through_modules_that_pass_it_on(self) -> None:
        files: Files = {
            "steps.py": "from pkg import f\n\ndef index():\n    return f()\n",
            "pkg/__init__.py": "from .deep.inner import g as f, h\n",
            "pkg/deep/__init__.py": "",
            "pkg/deep/inner.py": "def g():\n    return 1\n\ndef h():\n    return 2\n",
        }
        self.assertTrue(self.reaches(files, "pkg/deep/inner.py", "return 1", "return 11"))
        self.assertFalse(self.reaches(files, "pkg/deep/inner.py", "return 2", "return 22"))

    def test_a_task_may_be_defined_in_another_module(self) -> None:
        files: Files = {"steps.py": "from impl import index\n", "impl.py": "def index():\n    return 1\n"}
        self.assertTrue(self.reaches(files, "impl.py", "return 1", "return 2"))

    def test_a_task_in_a_package_imports_from_where_the_package_lies(self) -> None:
        files: Files = {
            "pkg/__init__.py": "print(1)\n",
            "pkg/helper.py": "def half(x):\n    return x / 2\n",
            "pkg/sub/__init__.py": "",
            "pkg/sub/units.py": "METRE = 1\n",
            "pkg/sub/steps.py": "from pkg.helper import half\nfrom . import units\n\n"
            "def index(x):\n    return half(x) * units.METRE\n",
        }

        def counted(changed: Files) -> dict[str, Any]:
            self._count += 1
            base = self.write({**files, **changed}, f"case{self._count}")
            (result,) = fingerprints("/nowhere", [(os.path.join(base, "pkg/sub/steps.py"), "index")])
            return result

        before = counted({})
        self.assertEqual(before["digest"], counted({})["digest"])
        for edit in ({"pkg/helper.py": "def half(x):\n    return x / 3\n"}, {"pkg/sub/units.py": "METRE = 2\n"},
                     {"pkg/__init__.py": "print(2)\n"}):  # fmt: skip
            self.assertNotEqual(before["digest"], counted(edit)["digest"], edit)
        # what was no package may become one
        alone = counted({"pkg/sub/__init__.py": None})
        self.assertIn("pkg/sub/__init__.py", [one[-len("pkg/sub/__init__.py") :] for one in alone["absent"]])

    def test_an_import_in_a_function_is_followed(self) -> None:
        for line in [
            "from lib import f",
            "import lib; f = lib.f",
            "import lib as l; f = l.f",
            "from lib import f as g; f = g",
        ]:
            files: Files = {
                "steps.py": f"def index():\n    {line}\n    return f()\n",
                "lib.py": "def f():\n    return 1\n\ndef g():\n    return 2\n",
            }
            with self.subTest(line):
                self.assertTrue(self.reaches(files, "lib.py", "return 1", "return 11"))
                self.assertFalse(self.reaches(files, "lib.py", "return 2", "return 22"))

    def test_both_ends_of_an_import_that_may_fail_are_followed(self) -> None:
        files: Files = {
            "steps.py": "try:\n    from fast import f\nexcept ImportError:\n    from slow import f\n\ndef index():\n    return f()\n",
            "fast.py": "def f():\n    return 1\n",
            "slow.py": "def f():\n    return 2\n",
        }
        self.assertTrue(self.reaches(files, "fast.py", "return 1", "return 11"))
        self.assertTrue(self.reaches(files, "slow.py", "return 2", "return 22"))

    def test_folders_without_an_init_file_are_packages_too(self) -> None:
        files: Files = {
            "steps.py": "import ns.mod\nfrom ns import other\n\ndef index():\n    return ns.mod.f() + other.g()\n",
            "ns/mod.py": "def f():\n    return 1\n",
            "ns/other.py": "def g():\n    return 2\n",
        }
        self.assertTrue(self.reaches(files, "ns/mod.py", "return 1", "return 11"))
        self.assertTrue(self.reaches(files, "ns/other.py", "return 2", "return 22"))

    def test_folders_that_hold_only_folders_are_packages_where_an_import_leads_to_code(self) -> None:
        for line, use in [
            ("from a.b.c import f", "f"),
            ("from a.b import c", "c.f"),
            ("from a import b", "b.c.f"),
            ("import a.b.c", "a.b.c.f"),
            ("import a.b.c as c", "c.f"),
            ("import a.b as b", "b.c.f"),
            ("from .a.b.c import f", "f"),
            ("from .a import b", "b.c.f"),
            ("from . import a", "a.b.c.f"),
        ]:
            files: Files = {
                "steps.py": f"{line}\n\ndef index():\n    return {use}()\n",
                "a/b/c.py": "def f():\n    return 1\n\ndef g():\n    return 2\n",
                "a/b/readme.txt": "a.b",
            }
            with self.subTest(line):
                self.assertTrue(self.reaches(files, "a/b/c.py", "return 1", "return 11"))
                self.assertFalse(self.reaches(files, "a/b/c.py", "return 2", "return 22"))

    def test_modules_of_machine_code_count_whole(self) -> None:
        for suffix in EXTENSION_SUFFIXES:
            for files, kern in [
                ({"steps.py": "import kern\n\ndef index():\n    return kern.f()\n"}, "kern"),
                ({"steps.py": "from kern import f\n\ndef index():\n    return f()\n", "kern.py": "x"}, "kern"),
                ({"steps.py": "from lib.low import kern\n\ndef index():\n    return kern.f()\n"}, "lib/low/kern"),
                ({"steps.py": "import kern\n\ndef index():\n    return 1\n", "kern.pyx": "x"}, "kern"),
            ]:
                with self.subTest(suffix, **files):
                    one, another = ({**files, kern + suffix: text} for text in ("\x7fELF one", "\x7fELF two"))
                    self.assertNotEqual(self.digest(one), self.digest(another))
                    (result,) = self.of(one, "index")
                    self.assertEqual(result["warnings"], [f"{kern}{suffix} is machine code: all of it counts"])
                    self.assertIn(kern + suffix, [os.path.relpath(path, self.last) for path in result["files"]])
                    (result,) = self.of(files, "index")
                    missing = [os.path.relpath(path, self.last) for path in result["absent"]]
                    self.assertEqual("lib" in kern or kern + EXTENSION_SUFFIXES[0] in missing, True)

    def test_machine_code_for_another_python_counts_where_there_is_nothing_else(self) -> None:
        files: Files = {
            "steps.py": "import kern\n\ndef index():\n    return kern.f()\n",
            "kern.cpython-300.so": "one",
        }
        source: Files = {**files, "kern.py": "def f():\n    return 1\n"}
        self.assertTrue(self.reaches(files, "kern.cpython-300.so", "one", "two"))
        self.assertFalse(self.reaches(source, "kern.cpython-300.so", "one", "two"))
        self.assertTrue(self.reaches(source, "kern.py", "return 1", "return 2"))

    def test_what_is_called_as_machine_code_and_is_no_file_is_none(self) -> None:
        files: Files = {"steps.py": "import kern\n\ndef index():\n    return kern.f()\n", "kern.cpython-3.so/x": ""}
        (result,) = self.of(files, "index")
        self.assertEqual(sorted(result["parts"]), ["import:kern", "steps.py:index"])

    def test_of_machine_code_for_several_pythons_that_for_this_one_counts(self) -> None:
        files: Files = {
            "steps.py": "import kern\n\ndef index():\n    return kern.f()\n",
            "kern.cpython-300.so": "old",
            "kern.zzz.so": "another",
            f"kern{EXTENSION_SUFFIXES[0]}": "new",
        }
        self.assertFalse(self.reaches(files, "kern.cpython-300.so", "old", "older"))
        self.assertFalse(self.reaches(files, "kern.zzz.so", "another", "other"))
        self.assertTrue(self.reaches(files, f"kern{EXTENSION_SUFFIXES[0]}", "new", "newer"))

    def test_a_folder_of_data_hides_no_package(self) -> None:
        files: Files = {"steps.py": "import numpy\n\ndef index():\n    return numpy.pi\n", "numpy/data.csv": "1"}
        (result,) = self.of(files, "index")
        self.assertEqual(sorted(result["parts"]), ["import:numpy", "steps.py:index"])
        (result,) = self.of({**files, "numpy/tables/make.py": "pi = 3"}, "index")
        self.assertEqual(sorted(result["parts"]), ["import:numpy", "steps.py:index"])

    def test_modules_that_import_each_other_end(self) -> None:
        files: Files = {
            "steps.py": "import a\n\ndef index():\n    return a.f(3)\n",
            "a.py": "import b\nfrom b import h\n\ndef f(x):\n    return b.g(x)\n",
            "b.py": "import a\nfrom a import h\n\ndef g(x):\n    return a.f(x)\n",
        }
        self.assertTrue(self.reaches(files, "b.py", "a.f(x)", "a.f(x + 1)"))

    def test_equal_names_of_two_modules_are_told_apart(self) -> None:
        files: Files = {
            "steps.py": "import a, b\n\ndef index():\n    return a.f() + b.f()\n",
            "a.py": "K = 1\n\ndef h():\n    return K\n\ndef f():\n    return h()\n",
            "b.py": "K = 2\n\ndef h():\n    return K\n\ndef f():\n    return h() * 2\n",
        }
        swapped = {
            **files,
            "a.py": str(files["a.py"]).replace("K = 1", "K = 2"),
            "b.py": str(files["b.py"]).replace("K = 2", "K = 1"),
        }
        self.assertNotEqual(self.digest(files), self.digest(swapped))


class Editable(Case):
    """Packages that are installed as links to where they are edited."""

    USER: Files = {"steps.py": "import mine\n\ndef index(x):\n    return mine.f(x)\n"}

    def answer(self, code: str, site: Files) -> dict[str, Any]:
        mine = {"mine/__init__.py": "from .core import f\n", "mine/core.py": code}
        elsewhere = self.write(mine, f"elsewhere{self._count}")
        sites = [self.write({name: text and text.replace("HERE", elsewhere) for name, text in site.items()}, f"site{self._count}")]
        (answer,) = self.of(self.USER, "index", sites=sites)
        return answer

    def test_count_as_the_authors_own(self) -> None:
        ways: dict[str, Files] = {
            "by a path": {"__editable__.mine-1.pth": "HERE\n"},
            "by a finder": {
                "__editable__.mine-1.pth": "import __editable___mine_1_finder; __editable___mine_1_finder.install()",
                "__editable___mine_1_finder.py": "MAPPING: dict[str, str] = {'mine': 'HERE/mine'}\n",
            },
        }
        for way, site in ways.items():
            with self.subTest(way):
                one, two = (self.answer(f"def f(x):\n    return {n}\n", site) for n in (1, 2))
                self.assertNotEqual(one["digest"], two["digest"])
                again = self.answer("def f(x):\n    return 1  # the same\n", site)
                self.assertEqual(again["digest"], one["digest"])
                names = {os.path.basename(path) for path in one["files"]}
                self.assertEqual(names, {"steps.py", "__init__.py", "core.py", *site})

    def test_take_the_place_of_a_package_that_goes(self) -> None:
        answer = self.answer("", {"mine/__init__.py": "", "README.txt": ""})
        self.assertEqual([os.path.basename(os.path.dirname(path)) for path in answer["files"]][-1], "mine")

    def test_that_cannot_be_read_are_left_out(self) -> None:
        odd: Files = {
            "a.pth": "import nothing_there\n# a comment\n\nno/such/folder\n",
            "b.pth": "import broken\n",
            "broken.py": "MAPPING = {'mine': print(1)}\n",
        }
        one, two = (self.answer(f"def f(x):\n    return {n}\n", odd) for n in (1, 2))
        self.assertEqual(one["digest"], two["digest"])


class Registries(Case):
    def reaches(self, code: str) -> bool:
        return self.digest({"steps.py": code}) != self.digest({"steps.py": code.replace("return 1", "return 2")})

    def test_a_function_that_registers_itself_is_reached_by_who_uses_the_registry(self) -> None:
        code = (
            "TABLE = {}\ndef register(f):\n    TABLE[f.__name__] = f\n    return f\n"
            "@register\ndef plugin():\n    return 1\n"
        )
        self.assertTrue(self.reaches(code + "def index(name):\n    return TABLE[name]()\n"))
        self.assertFalse(self.reaches(code + "def index(name):\n    return 3\n"))

    def test_a_method_of_an_object_may_be_what_registers(self) -> None:
        code = "app = make()\n@app.command('x')\ndef plugin():\n    return 1\ndef index():\n    return app.call('x')\n"
        self.assertTrue(self.reaches(code))

    def test_a_subclass_is_reached_where_its_base_is_told_of_it(self) -> None:
        base = "class Base:\n    known = []\n    def __init_subclass__(cls):\n        Base.known.append(cls)\n"
        code = "class Sub(Base):\n    def f(self):\n        return 1\ndef index():\n    return Base.known\n"
        self.assertTrue(self.reaches(base + code))
        self.assertFalse(self.reaches("class Base:\n    known = []\n" + code))
        self.assertTrue(self.reaches("class Base:\n    pass\n" + code.replace("Base.known", "Base.__subclasses__()")))

    def test_an_implementation_is_reached_by_who_calls_the_generic_function(self) -> None:
        shown = "from functools import singledispatch\n@singledispatch\ndef shown(x):\n    return 0\n"
        code = shown + "@shown.register\ndef _(x: int):\n    return 1\n"
        self.assertTrue(self.reaches(code + "def index(x):\n    return shown(x)\n"))
        self.assertFalse(self.reaches(code + "def index(x):\n    return 3\n"))

    def test_an_accessor_of_a_package_is_reached_by_who_imports_it(self) -> None:
        code = "import xarray\n@xarray.register_dataset_accessor('geo')\nclass Geo:\n    def f(self):\n        return 1\n"
        self.assertTrue(self.reaches(code + "def index(x):\n    return x.geo.f()\n"))

    def test_what_a_function_keeps_of_others_is_reached_by_who_uses_it(self) -> None:
        use = "@keep\ndef plugin():\n    return 1\ndef index():\n    return keep()\n"
        self.assertTrue(self.reaches("def keep(f=None, kept=[]):\n    kept.append(f)\n    return kept\n" + use))
        self.assertTrue(self.reaches("def keep(f=None):\n    keep.all.append(f)\n    return f\nkeep.all = []\n" + use))

    def test_a_class_is_reached_where_its_metaclass_keeps_it(self) -> None:
        code = (
            "class Meta(type):\n    known = {}\n    def __init__(cls, *a):\n        Meta.known[1] = cls\n"
            "class Base(metaclass=Meta):\n    pass\nclass Sub(Base):\n    def f(self):\n        return 1\n"
        )
        self.assertTrue(self.reaches(code + "def index():\n    return Meta.known\n"))

    def test_a_decorator_that_keeps_nothing_registers_nothing(self) -> None:
        code = (
            "import logging\nlog = logging.getLogger()\n"
            "def timed(f):\n    log.info('x')\n    return f\n"
            "@timed\ndef other():\n    return 1\n@timed\ndef index():\n    return 3\n"
        )
        self.assertFalse(self.reaches(code))
        made = "import wrapt\n@wrapt.decorator\ndef timed(f):\n    return f\n"
        self.assertFalse(self.reaches(made + "@timed\ndef other():\n    return 1\n@timed\ndef index():\n    return 3\n"))


class Unfollowed(Case):
    def warnings(self, files: Files) -> list[str]:
        (result,) = self.of(files, "index")
        return list(result["warnings"])

    def test_names_that_cannot_be_followed_make_the_whole_module_count(self) -> None:
        for use, why in [
            ("globals()['f']()", "uses globals"),
            ("eval('f()')", "uses eval"),
            ("exec('f()')", "uses exec"),
            ("sys.modules[__name__].f()", "uses sys.modules"),
            ("importlib.import_module(x)", "imports a module whose name is computed, which does not count"),
            ("__import__(x)", "imports a module whose name is computed, which does not count"),
            ("index.__globals__['f']()", "uses __globals__"),
        ]:
            code = f"import importlib, sys\ndef f():\n    return 1\n\ndef index(x):\n    return {use}\n"
            with self.subTest(use):
                self.assertEqual(self.warnings({"steps.py": code}), [f"steps.py:6 {why}: all of steps.py counts"])
                changed = code.replace("return 1", "return 2")
                self.assertNotEqual(self.digest({"steps.py": code}), self.digest({"steps.py": changed}))

    def test_a_name_of_a_builtin_that_is_the_authors_own_is_followed(self) -> None:
        code = "def eval(x):\n    return x\n\ndef f():\n    return 1\n\ndef index(x):\n    return eval(x)\n"
        self.assertEqual(self.warnings({"steps.py": code}), [])

    def test_a_module_of_which_everything_is_imported_counts_whole(self) -> None:
        files: Files = {
            "steps.py": "from lib import *\n\ndef index():\n    return f()\n",
            "lib.py": "def f():\n    return 1\n\ndef g():\n    return 2\n",
        }
        self.assertEqual(self.warnings(files), ["steps.py imports * of lib.py: all of lib.py counts"])
        changed = {**files, "lib.py": "def f():\n    return 1\n\ndef g():\n    return 3\n"}
        self.assertNotEqual(self.digest(files), self.digest(changed))

    def test_what_a_module_that_counts_whole_has_from_others_counts(self) -> None:
        users = {
            "a star of a star": "from p import *\ndef index():\n    return f()\n",
            "a module as a value": "import p\ndef index():\n    return getattr(p, 'f')()\n",
        }
        for what, user in users.items():
            for passed_on in ("from .k import *\n", "from .k import f\n"):
                with self.subTest(what, passed_on=passed_on):
                    files: Files = {"steps.py": user, "p/__init__.py": passed_on, "p/k.py": "def f():\n    return 1\n"}
                    changed = {**files, "p/k.py": "def f():\n    return 2\n"}
                    self.assertNotEqual(self.digest(files), self.digest(changed))

    def test_a_module_that_a_star_gives_is_followed(self) -> None:
        files: Files = {
            "steps.py": "from common import *\ndef index():\n    return k.f()\n",
            "common.py": "import k\n",
            "k.py": "def f():\n    return 1\n",
        }
        self.assertNotEqual(self.digest(files), self.digest({**files, "k.py": "def f():\n    return 2\n"}))

    def test_names_of_a_module_that_are_taken_as_a_dict_make_it_count_whole(self) -> None:
        for use in ("dict(locals())", "vars()"):
            code = f"def f():\n    return 1\nALL = {use}\ndef index(x):\n    return ALL[x]()\n"
            with self.subTest(use):
                changed = code.replace("return 1", "return 2")
                self.assertNotEqual(self.digest({"steps.py": code}), self.digest({"steps.py": changed}))

    def test_a_module_used_as_a_value_counts_whole(self) -> None:
        files: Files = {
            "steps.py": "import lib\n\ndef index(name):\n    return getattr(lib, name)()\n",
            "lib.py": "def f():\n    return 1\n",
        }
        self.assertEqual(self.warnings(files), ["steps.py uses lib.py as a value: all of lib.py counts"])
        self.assertNotEqual(self.digest(files), self.digest({**files, "lib.py": "def f():\n    return 2\n"}))

    def test_an_import_by_a_written_name_is_followed(self) -> None:
        files: Files = {
            "steps.py": "import importlib\n\ndef index():\n    return importlib.import_module('lib').f()\n",
            "lib.py": "def f():\n    return 1\n",
        }
        self.assertNotEqual(self.digest(files), self.digest({**files, "lib.py": "def f():\n    return 2\n"}))

    def test_a_relative_import_by_a_written_name_is_followed(self) -> None:
        files: Files = {
            "steps.py": "import p\n\ndef index():\n    return p.f()\n",
            "p/__init__.py": "from importlib import import_module\ndef f():\n    return import_module('.k', __name__).f()\n",
            "p/k.py": "def f():\n    return 1\n",
        }
        self.assertNotEqual(self.digest(files), self.digest({**files, "p/k.py": "def f():\n    return 2\n"}))

    def test_a_folder_that_is_added_to_the_path_is_looked_in(self) -> None:
        lib: Files = {"lib/a.py": "import b\ndef f():\n    return b.g()\n", "lib/b.py": "def g():\n    return 1\n"}
        for added in (
            "sys.path.insert(0, 'lib')",
            "sys.path += [os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib')]",
            "HERE = Path(__file__).resolve().parent\nsys.path.append(str(HERE / 'lib'))",
            "sys.path = [str(Path(__file__).parents[0].joinpath('lib'))] + sys.path",
        ):
            with self.subTest(added):
                code = f"import os, sys\nfrom pathlib import Path\n{added}\nimport a\ndef index():\n    return a.f()\n"
                files: Files = {"steps.py": code, **lib}
                self.assertNotEqual(self.digest(files), self.digest({**files, "lib/b.py": "def g():\n    return 2\n"}))

    def test_a_folder_that_is_added_and_cannot_be_told_is_warned_of(self) -> None:
        code = "import sys\nsys.path.append(input())\nimport a\ndef index():\n    return a.f()\n"
        self.assertEqual(
            self.warnings({"steps.py": code}),
            ["steps.py:2 adds to sys.path what is computed: modules there do not count"],
        )

    def test_a_class_that_an_annotation_names_as_a_text_is_reached(self) -> None:
        made = "class Window:\n    def f(self):\n        return 1\n"
        for hint in ("'Window'", "list['Window']", "'list[Window] | None'", "Annotated['Window', 'text']"):
            code = f"{made}def index(x: {hint}):\n    return x.f()\n"
            with self.subTest(hint):
                changed = code.replace("return 1", "return 2")
                self.assertNotEqual(self.digest({"steps.py": code}), self.digest({"steps.py": changed}))
        code = f"{made}def index(x: Literal['Window']):\n    return x\n"
        self.assertEqual(self.digest({"steps.py": code}), self.digest({"steps.py": code.replace("return 1", "return 2")}))

    def test_a_module_that_cannot_be_read_counts_as_it_is_written(self) -> None:
        files: Files = {"steps.py": "import lib\n\ndef index():\n    return lib.f()\n", "lib.py": "def f(:\n"}
        self.assertEqual(len(self.warnings(files)), 1)
        self.assertNotEqual(self.digest(files), self.digest({**files, "lib.py": "def f(:\n\n"}))

    def test_docstrings_count_where_they_are_read(self) -> None:
        code = 'def f():\n    """One."""\n\ndef index():\n    return f.__doc__\n'
        self.assertNotEqual(self.digest({"steps.py": code}), self.digest({"steps.py": code.replace("One", "Two")}))
        code = '"""One."""\ndef index():\n    return __doc__\n'
        self.assertNotEqual(self.digest({"steps.py": code}), self.digest({"steps.py": code.replace("One", "Two")}))

    def test_what_is_read_from_outside_is_found(self) -> None:
        code = """
        import os
        from os import getenv, environ
        def index():
            os.environ['A']; os.environ.get('B'); os.getenv('C'); getenv('D'); environ['E']
            dict(os.environ)
            open('table.csv'); open('out.csv', 'w'); open(__file__)
        def other():
            os.environ['F']
        """
        (result,) = self.of({"steps.py": code}, "index")
        found = sorted((one["kind"], one["name"] or "", one["line"]) for one in result["findings"])
        expected = [("env", "", 6), ("env", "A", 5), ("env", "B", 5), ("env", "C", 5), ("env", "D", 5), ("env", "E", 5)]
        self.assertEqual(found, [*expected, ("read", "", 7), ("read", "table.csv", 7)])

    def test_files_that_are_read_by_a_name_in_the_code_are_found(self) -> None:
        reads = {
            "pd.read_csv('stations.csv')": "stations.csv",
            "np.loadtxt('cal/gains.txt', delimiter=',')": "cal/gains.txt",
            "fits.open('flat.fits')": "flat.fits",
            "h5py.File('beam.h5')": "beam.h5",
            "Path('model.yaml').read_text()": "model.yaml",
            "Path('model.yaml').open()": "model.yaml",
            "runpy.run_path('more.py')": "more.py",
            "subprocess.run(['python', 'reduce.py', x])": "reduce.py",
            "os.system('bash clean.sh --all')": "clean.sh",
            "importlib.resources.files('mine')": None,
        }
        for call, name in reads.items():
            with self.subTest(call):
                (result,) = self.of({"steps.py": f"def index(x):\n    return {call}\n"}, "index")
                self.assertEqual(result["findings"], [{"kind": "read", "name": name, "file": "steps.py", "line": 2}])

    def test_what_is_read_on_import_is_told_of_what_uses_it(self) -> None:
        code = """
        import json
        with open('a.csv') as file:
            A = file.read()
        B = []
        for line in open('b.csv'):
            B.append(line)
        try:
            C = open('c.csv').read()
        except OSError:
            C = ''
        D = {}
        def fill(text):
            D['d'] = text
        fill(open('d.csv').read())
        print(json.load(open('all.json')))
        def setup():
            print(open('setup.csv'))
        setup()
        def a(): return A
        def b(): return also_b()
        def also_b(): return B
        def c(): return C
        def d(): return D
        def none(): return 1
        def any_of_it(name): return globals()[name]
        """
        results = self.of({"steps.py": code}, "a", "b", "c", "d", "none", "any_of_it")
        found = [[one["name"] for one in result["findings"]] for result in results]
        everybody = ["all.json", "setup.csv"]
        self.assertEqual(
            found,
            [["a.csv", *everybody], ["all.json", "b.csv", "setup.csv"], ["all.json", "c.csv", "setup.csv"],
             ["all.json", "d.csv", "setup.csv"], everybody, ["a.csv", "all.json", "b.csv", "c.csv", "d.csv", "setup.csv"]],
        )  # fmt: skip

    def test_what_writes_a_file_or_names_none_reads_none(self) -> None:
        for call in (
            "h5py.File('out.h5', 'w')",
            "h5py.File('out.h5', mode='a')",
            "Path('out.txt').open('w')",
            "pd.read_csv(x)",
            "pd.read_csv('https://host/a.csv')",
            "json.load(x)",
            "yaml.load('a: 1')",
            "subprocess.run(['ls', '-l'])",
        ):
            with self.subTest(call):
                (result,) = self.of({"steps.py": f"def index(x):\n    return {call}\n"}, "index")
                self.assertEqual(result["findings"], [])


class Answers(Case):
    def test_parts_are_named_by_file_and_name(self) -> None:
        (result,) = self.of(FILES, "index")
        self.assertEqual(
            sorted(result["parts"]),
            [
                "helpers.py:half", "helpers.py:inner", "import:numpy", "lib/grid.py:deep", "lib/shapes.py:ROUND",
                "lib/units.py:METRE", "steps.py:Base", "steps.py:Grid", "steps.py:LIMIT", "steps.py:OFFSET",
                "steps.py:index", "steps.py:shift",
            ],
        )  # fmt: skip

    def test_a_function_that_cannot_be_looked_at_says_why_and_others_are_answered(self) -> None:
        good, missing = self.of({"steps.py": "def index(): pass\n"}, "index", "inedx")
        self.assertIn("digest", good)
        self.assertEqual(missing["failure"]["kind"], "function")
        (broken,) = self.of({"steps.py": "x = 1\ndef index(:\n"}, "index")
        self.assertEqual((broken["failure"]["kind"], broken["failure"]["line"]), ("syntax", 2))
        (absent,) = fingerprints(self.root, [(os.path.join(self.root, "none.py"), "index")])
        self.assertEqual(absent["failure"]["kind"], "file")

    def test_every_process_gives_the_same_answer(self) -> None:
        base = self.write(FILES, "program")
        request = json.dumps({"project": base, "functions": [[os.path.join(base, "steps.py"), "index"]]})
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
        program = f"import sys; sys.path.insert(0, {folder!r}); from almanac_worker import fingerprint; fingerprint.run()"
        command = [sys.executable, "-I", "-S", "-B", "-c", program]
        answers = {
            subprocess.run(command, input=request, capture_output=True, text=True, check=True).stdout for _ in range(3)
        }
        self.assertEqual(len(answers), 1)
        self.assertEqual(json.loads(answers.pop())["results"][0]["digest"], self.digest(FILES))

    def test_every_python_gives_the_same_answer(self) -> None:
        # characters that some know as letters and others do not, and texts that some read in another way than others
        steps = '''
UNITS = {"🫩": "\\U0001fae9", "\u0870": b"\\xff", "\\ud800": 1e-9, "mean\u00a0depth": 10**30, None: ...}

def index(x: "UNITS", *, by=2j) -> list:
    """Of it."""
    match x:
        case {"a": 1, **rest} | [_, *rest] if (n := len(rest)):
            return [f"{x!r:>{by}}" "a" f"{{{n:.2f}}}", "\u00fc" "\U0001faea", lambda y, /: ~y]
    with open(x) as a, open(x) as b:
        print(*a, **b, sep="\\N{BULLET}")
'''
        self.assertEqual(self.digest({"steps.py": steps}), "802b473597618b34c0402f8e87ae97bc0855d2ef505e088cb931f0b3eb77d1ef")

    def test_expressions_may_be_nested_deeply(self) -> None:
        deep = "+".join(["x"] * 900)
        (result,) = self.of({"steps.py": f"def index(x):\n    return {deep}\n"}, "index")
        self.assertIn("digest", result)

    def test_a_method_is_found_in_its_class(self) -> None:
        (result,) = self.of({"steps.py": "class A:\n    def f(self): pass\n"}, "A.f")
        self.assertEqual(sorted(result["parts"]), ["steps.py:A"])


if __name__ == "__main__":
    unittest.main()
