import os
import sys
import tempfile
import unittest

from almanac_worker.shared import packages


class Packages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.base = os.path.realpath(folder.name)
        self.addCleanup(setattr, sys, "path", sys.path[:])
        modules = dict(sys.modules)
        self.addCleanup(lambda: [sys.modules.pop(name) for name in set(sys.modules) - set(modules)])

    def path(self, name, text=""):
        path = os.path.join(self.base, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_a_file_is_named_from_where_its_outermost_package_lies(self):
        self.path("outer/__init__.py")
        self.path("outer/inner/__init__.py")
        file = self.path("outer/inner/steps.py")
        self.assertEqual(packages.root(os.path.dirname(file)), self.base)
        path = ["there"]
        packages.first_on(path, os.path.dirname(file))
        self.assertEqual(path, [self.base, "there", os.path.dirname(file)])
        sys.path.insert(0, self.base)
        self.assertEqual(packages.import_package(file), "outer.inner.steps")
        self.assertEqual(packages.import_package(self.path("outer/inner/__init__.py")), "outer.inner")
        packages.enter_package("outer.inner.steps", "the module")
        self.assertEqual(sys.modules["outer.inner"].steps, "the module")

    def test_what_is_in_no_package_is_named_as_its_file(self):
        file = self.path("plain/steps.py")
        self.assertEqual(packages.import_package(file), "steps")
        path = ["there"]
        packages.first_on(path, os.path.dirname(file))
        self.assertEqual(path, [os.path.dirname(file), "there"])
        # nobody could import it by that name
        self.path("no-name/__init__.py")
        self.assertEqual(packages.import_package(self.path("no-name/steps.py")), "steps")

    def test_a_package_that_is_another_of_that_name_names_nothing(self):
        self.path("json/__init__.py")
        self.assertEqual(packages.import_package(self.path("json/steps.py")), "steps")

    def test_what_is_missing_for_a_package_is_said(self):
        file = self.path("lib/deep/steps.py")
        needs = "to be a package, {} needs an `__init__.py`, which may be empty"
        for error, said in [
            (ImportError("attempted relative import with no known parent package"), needs.format(self.base + "/lib/deep")),
            (ModuleNotFoundError("No module named 'lib'", name="lib"), needs.format(self.base + "/lib")),
            (ModuleNotFoundError("No module named 'numpy'", name="numpy"), "No module named 'numpy'"),
            (ImportError("cannot import name 'x'"), "cannot import name 'x'"),
        ]:
            packages.explain(error, file)
            self.assertTrue(str(error).endswith(said), str(error))


if __name__ == "__main__":
    unittest.main()
