import os
import re
import tempfile
import unittest

from almanac import AlmanacError
from almanac._host.package_copies import differs, refuse_hidden
from almanac.version import HOME, VERSION


class OtherPackagesOfThisName(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)

    def write(self, name, text=""):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def line(self, version, folder):
        return (
            f"! almanac in {folder} is {version}, and the engine is {VERSION}: workflows get the engine's own package, {HOME}. "
            "Install the same version of both."
        )

    def test_are_told_of_where_they_are_of_another_version(self):
        other = os.path.join(self.folder, "almanac")
        path = [os.path.join(self.folder, "none"), self.folder, os.path.dirname(HOME)]
        self.assertIsNone(differs(path, None))
        self.write("almanac/__init__.py")
        self.assertEqual(differs(path, None), self.line("of another version", other))
        self.write("almanac/version.py", 'VERSION = "0.0.9"\n')
        self.assertEqual(differs(path, None), self.line("0.0.9", other))
        self.write("almanac/version.py", f'VERSION = "{VERSION}"\n')
        self.assertIsNone(differs(path, None))

    def test_are_told_of_by_the_program_that_asks_before_all_that_are_installed(self):
        self.assertIsNone(differs([self.folder], f"{VERSION} /there/almanac"))
        self.assertEqual(differs([], "9.1.0 /my site/almanac"), self.line("9.1.0", "/my site/almanac"))

    def test_are_refused_where_tasks_would_import_them(self):
        flow = self.write("flow.py")
        refuse_hidden(flow)
        self.write("almanac/notes.txt")  # hides nothing
        refuse_hidden(flow)
        for name in ("almanac/__init__.py", "almanac.py"):
            path = self.write(name)
            with self.assertRaises(AlmanacError) as raised:
                refuse_hidden(flow)
            said = f"{path} hides the package almanac from its tasks"
            self.assertEqual((str(raised.exception).split("\n")[0], raised.exception.code), (said, "ALM_LOAD_FAILED"))
        refuse_hidden(os.path.join(os.path.dirname(HOME), "flow.py"))


class Version(unittest.TestCase):
    def test_is_what_pip_and_npm_are_told(self):
        python = os.path.dirname(HOME)
        for name, pattern in (("pyproject.toml", r'^version = "(.+)"$'), ("../package.json", r'^  "version": "(.+)",$')):
            with open(os.path.join(python, name)) as file:
                found = re.search(pattern, file.read(), re.MULTILINE)
            self.assertEqual(found and found[1], VERSION)


if __name__ == "__main__":
    unittest.main()
