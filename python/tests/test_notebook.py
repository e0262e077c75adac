import base64
import contextlib
import datetime
import html
import os
import re
import tempfile
import unittest

from almanac import AlmanacError, RunRecord
from almanac._notebook.cells import _HEAD, file_of, in_cells
from almanac._notebook.artifact import Artifact
from almanac._notebook.graph import Graph
from almanac._notebook.markup import COLOURS
from almanac._notebook.displays import progress_html, run_html, runs_html


@contextlib.contextmanager
def directory():
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)


def notebook(*cells):
    """What a kernel's module is after its cells."""
    import linecache

    namespace = {"__name__": "__main__", "In": [""]}
    for number, cell in enumerate(cells):
        name = f"<cell {number} of {id(namespace)}>"
        linecache.cache[name] = (len(cell), None, cell.splitlines(True), name)
        namespace["In"].append(cell)
        exec(compile(cell, name, "exec"), namespace)
    return namespace


def written(*cells):
    with directory():
        namespace = notebook(*cells)
        with file_of(namespace["main"].function, namespace) as path, open(path) as file:
            text = file.read()
    assert text.startswith(_HEAD)
    return text[len(_HEAD) :].strip()


IMPORTS = "from almanac import task, workflow\nimport os.path, json as j\n"
MAIN = "@workflow\nasync def main():\n    return {}\n"


class Cells(unittest.TestCase):
    def test_a_cell_under_a_magic_that_executes_it_is_what_is_below(self):
        # as a kernel keeps it; `%%writefile` executes nothing
        step = "@task\ndef step(n):\n    return n\n"
        timed = f"get_ipython().run_cell_magic('time', '', {step!r})\n"
        kept = f"get_ipython().run_cell_magic('writefile', 'a.py', {step!r})\n"
        with directory():
            namespace = notebook(IMPORTS, MAIN.format("step(1)"))
            exec(step, namespace)
            namespace["In"] += [timed, kept]
            with file_of(namespace["main"].function, namespace) as path, open(path) as file:
                text = file.read()
                line = text[: text.index("    return n")].count("\n") + 1
                there = in_cells(f'File "{path}", line {line}, in step', path, namespace["In"])
        self.assertIn(f"\n\n{step}\n", text)
        self.assertEqual(there, "Cell In[3], line 4, in step")

    def test_of_statements_that_share_a_line_one_is_written(self):
        text = written(
            IMPORTS, "def plain(n): return n", "print('shown'); step = task(plain, name='s'); print('shown')",
            "rest = [\n    1]; print('shown')", MAIN.format("step(rest)"),
        )
        self.assertIn("step = task(plain, name='s')\n", text)
        self.assertNotIn("shown", text)

    def test_what_is_named_is_written_and_nothing_else(self):
        text = written(
            IMPORTS,
            "SCALE, unused = 3, object()\nNAMES = {'b': (1,), 'a': [2.5, None]}",
            "def scale(n):\n    return SCALE * n + len(NAMES)\n\ndef other():\n    return unused",
            "@task\ndef step(n):\n    return j.dumps(scale(n))",
            MAIN.format("step(1)"),
        )
        self.assertEqual(
            text,
            "import json as j\nfrom almanac import task\nfrom almanac import workflow\n\n\n"
            "NAMES = {'b': (1,), 'a': [2.5, None]}\n\n\nSCALE = 3\n\n\n"
            "def scale(n):\n    return SCALE * n + len(NAMES)\n\n\n"
            "@task\ndef step(n):\n    return j.dumps(scale(n))\n\n\n"
            "@workflow\nasync def main():\n    return step(1)",
        )

    def test_the_newest_definition_counts(self):
        text = written(IMPORTS, "def f(): return 1", MAIN.format("f()"), "def f(): return 2", "x = 1")
        self.assertIn("return 2", text)
        self.assertNotIn("return 1", text)

    def test_classes_submodules_and_definitions_of_almanac(self):
        text = written(
            IMPORTS + "from dataclasses import dataclass\nfrom almanac import command\n",
            "@dataclass\nclass Limits:\n    low: int = 0\n",
            "tool = command(['true'], name='tool')",
            MAIN.format("[Limits(), tool(), os.path.join('a')]"),
        )
        self.assertIn("@dataclass\nclass Limits:\n    low: int = 0", text)
        self.assertIn("tool = command(['true'], name='tool')", text)
        self.assertIn("import os.path", text)

    def test_tasks_made_of_functions_by_a_call(self):
        text = written(
            IMPORTS,
            "def step(n): return n\nfirst = task(step, retries=1)\nsame = first",
            "def other(n): return n\nother = task(other)",
            MAIN.format("[same(1), other(1)]"),
        )
        self.assertEqual(
            text,
            "from almanac import task\nfrom almanac import workflow\n\n\n"
            "def other(n): return n\n\nother = task(other)\n\n\n"
            "def step(n): return n\n\n\n"
            "first = task(step, retries=1)\n\n\n"
            "same = first\n\n\n"
            "@workflow\nasync def main():\n    return [same(1), other(1)]",
        )
        with self.assertRaisesRegex(AlmanacError, "how one was made of step is not known"):
            written(IMPORTS, "def step(n): return n\none, two = task(step), 2", MAIN.format("one(1)"))

    def test_a_function_that_another_made_with_values_of_its_own_is_refused(self):
        make = "n = 10\ndef make(n):\n    def scale(x):\n        return x * n\n    return scale"
        for made in ("scale = make(3)", "other = make(3)\nscale = other", "import functools\nscale = functools.cache(make(3))", "scale = make(3); m = 1"):
            with self.subTest(made=made), self.assertRaises(AlmanacError) as raised:
                written(IMPORTS, make, made, MAIN.format("scale(1)"))
            self.assertEqual(raised.exception.args[0], "scale is a function made by another one, and keeps values of that: n")

    def test_a_function_in_one_that_a_decorator_made_is_written_with_it(self):
        twice = "def twice(f):\n    def g(n):\n        return 2 * f(n)\n    return g"
        text = written(IMPORTS, twice, "@twice\ndef step(n):\n    return n", MAIN.format("step(1)"))
        self.assertIn(f"{twice}\n\n\n@twice\ndef step(n):\n    return n\n", text)

    def test_an_import_counts_while_the_name_is_what_it_gave(self):
        for cell in ("a, b, e = 1, 2, 3", "for e in [3]: pass", "[e := 3]", "with nullcontext(3) as e: pass"):
            with self.subTest(cell=cell):
                text = written(IMPORTS, "from contextlib import nullcontext\nfrom math import e, pi", cell, MAIN.format("e + pi"))
                self.assertIn("e = 3\n", text)
                self.assertIn("from math import pi\n", text)
                self.assertNotIn("import e", text)

    def test_what_was_imported_and_loaded_anew_since_is_imported(self):
        again = "import importlib, textwrap\nfrom textwrap import dedent\nimportlib.reload(textwrap)"
        self.assertIn("from textwrap import dedent\n", written(IMPORTS, again, MAIN.format("dedent('a')")))

    def test_a_definition_counts_while_the_name_is_bound_by_it(self):
        cells = ["f = lambda: 1", "for f in [lambda: 2]: pass", MAIN.format("f()")]
        with self.assertRaisesRegex(AlmanacError, "f, a function that lives in this notebook alone"):
            written(IMPORTS, *cells)
        self.assertIn("f = lambda: 1", written(IMPORTS, cells[0], "[f for f in [1]]", cells[2]))

    def test_lines_end_where_they_do_in_python(self):
        text = written(
            IMPORTS, "MARKS = '\u2028\x85'\ndef first():\n    return 'a\u2028b'\n\ndef second():\n    return first()\n",
            MAIN.format("second(), MARKS"),
        )
        self.assertEqual(
            text,
            "from almanac import workflow\n\n\n"
            "MARKS = '\\u2028\\x85'\n\n\n"
            "def first():\n    return 'a\u2028b'\n\n\n"
            "def second():\n    return first()\n\n\n"
            "@workflow\nasync def main():\n    return second(), MARKS",
        )

    def test_functions_that_call_each_other(self):
        text = written(
            IMPORTS, "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return not even(n)", MAIN.format("even(2)")
        )
        self.assertEqual(len(re.findall("^def ", text, re.MULTILINE)), 2)

    def test_what_lives_in_the_notebook_alone_is_refused(self):
        for value in ("object()", "iter([])", "[object()]", "'x' * 100_000"):
            with self.assertRaises(AlmanacError) as raised:
                written(IMPORTS, f"thing = {value}", MAIN.format("thing"))
            self.assertIn("thing", str(raised.exception))

    def test_tracebacks_name_the_cells(self):
        step = "# steps\n\n@task\ndef step(n):\n    raise ValueError(n)"
        with directory():
            cells = [IMPORTS, "x = 1", step, MAIN.format("step(1)"), step.replace("n):", "m):"), step]
            namespace = notebook(*cells)
            with file_of(namespace["main"].function, namespace) as path, open(path, encoding="utf-8") as file:
                line = file.read().splitlines().index("    raise ValueError(n)") + 1
            known = namespace["In"]
            told = f'  File "{path}", line {line}, in step\n  File "/else.py", line {line}, in f\n  File "{path}", line 1, in g'
            self.assertEqual(
                in_cells(told, path, known),
                f'  Cell In[{len(known) - 1}], line 5, in step\n  File "/else.py", line {line}, in f\n  File "{path}", line 1, in g',
            )
            self.assertEqual(in_cells(told, "/nowhere.py", known), told)

    def test_a_file_of_the_author_is_left_alone(self):
        with directory():
            with open("cells_main.py", "w") as file:
                file.write("mine")
            namespace = notebook(IMPORTS, MAIN.format("1"))
            with self.assertRaisesRegex(AlmanacError, "was not written by Almanac"):
                with file_of(namespace["main"].function, namespace):
                    self.fail("it was written over")
            with open("cells_main.py") as file:
                self.assertEqual(file.read(), "mine")

    def test_a_file_that_a_run_reads_is_not_written_over_by_another_notebook(self):
        one, other = (notebook(IMPORTS, MAIN.format(given)) for given in ("'A'", "'B' * 1000"))
        with directory():
            with file_of(one["main"].function, one) as path:
                with file_of(one["main"].function, one) as again:
                    self.assertEqual(again, path)
                with self.assertRaisesRegex(AlmanacError, "read by a run that goes on, of cells that are not these"):
                    with file_of(other["main"].function, other):
                        self.fail("it was written over")
                with open(path) as file:
                    self.assertTrue(file.read().endswith("return 'A'\n"))
            for notes, end in [(other, "return 'B' * 1000\n"), (one, "return 'A'\n")]:
                with file_of(notes["main"].function, notes) as path, open(path) as file:
                    self.assertTrue(file.read().endswith(end))


#: the least that is known of a run
TOLD = {"workflow": "w", "state": "succeeded", "id": "r", "executed": 0, "reused": 0, "seconds": 1.0}


class Marked:
    def __repr__(self):
        return "<1>"


class Pictures(unittest.TestCase):
    def graph(self, **tasks):
        return Graph(
            [{"name": name, "calls": 1, "states": {"succeeded": 1}, "inputs": inputs} for name, inputs in tasks.items()]
        )

    def test_a_graph_of_many_tasks_or_none_is_drawn(self):
        many = self.graph(**{f"t{n}": [f"t{n - 1}"] if n else [] for n in range(2000)})
        self.assertLess(len(many._repr_html_()), 60_000)
        self.assertIn("1920 more tasks", many._repr_html_())
        self.assertIn("<svg", self.graph()._repr_svg_())

    def test_a_graph_is_an_image_which_a_notebook_that_is_not_trusted_keeps(self):
        graph = self.graph(a=[], b=["a"])
        alt, drawn = re.fullmatch(
            r'<div style="[^"]*"><img style="[^"]*" alt="([^"]*)" src="data:image/svg\+xml;base64,([^"]*)"></div>', graph._repr_html_()
        ).groups()
        self.assertEqual((alt, base64.b64decode(drawn).decode()), ("a, b", graph._repr_svg_()))
        self.assertNotIn("currentColor", graph._repr_svg_())

    def test_long_names_of_a_graph_are_cut_in_the_picture_alone(self):
        graph = Graph([{"name": "n" * 100, "calls": 3, "inputs": []}])
        self.assertIn(f">{'n' * 39}… × 3</text>", graph._repr_svg_())
        whole = "n" * 100
        self.assertIn(f'alt="{whole} × 3"', graph._repr_html_())
        self.assertIn(f'["{whole} × 3"]', str(graph))

    def test_a_circle_ends(self):
        svg = self.graph(a=["b"], b=["a"], c=["c", "b"])._repr_svg_()
        self.assertEqual(svg.count("<g>"), 3)

    def test_names_are_text(self):
        graph = self.graph(**{'<script>"x"': []})
        self.assertNotIn("<script", graph._repr_svg_() + graph._repr_html_())
        self.assertIn('["<script>#quot;x#quot;"]', str(graph))

    def test_artifacts_are_text_and_bounded(self):
        table = Artifact("t", {"kind": "table", "rows": [{"<b>": "<i>"}] * 200})
        self.assertIn("&lt;b&gt;", table.html)
        self.assertIn("50 of 200 rows", table.html)
        self.assertNotIn("href", Artifact("l", {"kind": "link", "url": "javascript:x"}).html)
        self.assertIn("not there any more", Artifact("p", {"kind": "image", "path": "/nowhere.png"}).html)
        self.assertEqual(
            Artifact("m", {"kind": "markdown", "text": "# a"})._repr_mimebundle_(),
            {"text/plain": "<markdown m>", "text/markdown": "# a"},
        )
        # HTML beside it would be shown instead
        self.assertEqual(
            Artifact("c", {"kind": "plot", "spec": {"mark": "bar"}})._repr_mimebundle_(),
            {"text/plain": "<plot c>", "application/vnd.vegalite.v5+json": {"mark": "bar"}},
        )

    def test_files_that_no_browser_draws_are_named(self):
        with directory() as folder:
            for name, drawn in (("a.png", True), ("a.tif", False)):
                path = os.path.join(folder, name)
                with open(path, "wb") as file:
                    file.write(b"pixels")
                shown = Artifact("a", {"kind": "image", "path": path}).html
                self.assertEqual(("<img" in shown, path in shown), (drawn, not drawn))

    def test_an_output_that_is_shown_as_an_artifact_too_is_shown_once(self):
        with directory():
            for name in ("one.png", "other.png"):
                with open(name, "wb") as file:
                    file.write(name.encode())
            os.symlink("one.png", "output.png")
            fit = Artifact("fit", {"kind": "image", "path": "one.png"})
            shown = run_html({**TOLD, "files": {"plot": "output.png", "more": "other.png"}, "artifacts": {"fit": fit}})
        self.assertEqual(re.findall('alt="(.*?)"', shown), ["more", "fit"])

    def test_pictures_end_where_a_notebook_would_be_too_large_for_a_browser(self):
        with directory():
            with open("large.png", "wb") as file:
                file.truncate(8 << 20)
            shown = run_html({**TOLD, "files": {name: "large.png" for name in "abcd"}})
        self.assertEqual(re.findall('alt="(.*?)"', shown), ["a", "b"])
        self.assertIn("more is in <code>output</code>", shown)

    def test_what_a_run_gave_is_shown_and_cut(self):
        self.assertIn("gave <code>[&lt;1&gt;, 2]</code>", run_html({**TOLD, "output": [Marked(), 2]}))
        self.assertLess(len(run_html({**TOLD, "output": [["x" * 1000] * 1000] * 1000})), 2000)
        self.assertNotIn("gave", run_html({**TOLD, "output": None}))

    def test_runs_are_a_table(self):
        at = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.timezone.utc)
        failed = RunRecord("r1", "w", "failed", 3, 1, at, at, at + datetime.timedelta(seconds=2.5), error="<b>" * 100, next="almanac resume r1")
        rows = re.findall("<tr>(.*?)</tr>", runs_html([failed, RunRecord("r2", "w", "queued", 0, 0, at, name="night")]))
        cells = [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
        created = f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
        self.assertEqual(
            cells,
            [
                ["run", "workflow", "state", "executed", "reused", "created", "took", "error", "next"],
                ["<code>r1</code>", "w", '<b style="color:#da3636">failed</b>', "3", "1", created, "2.50 s",
                 html.escape(("<b>" * 100)[:200]), "<code>almanac resume r1</code>"],
                ["<code>r2</code>", "w · night", '<b style="color:#767676">queued</b>', "0", "0", created, "", "", ""],
            ],
        )

    def test_colours_can_be_read_on_white_and_on_black(self):
        def luminance(colour):
            parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
            red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue

        # 4.5 would be asked of small text, which no colour has on both of these
        for state, colour in COLOURS.items():
            at = luminance(colour)
            self.assertGreater(1.05 / (at + 0.05), 4.4, state)
            self.assertGreater((at + 0.05) / (luminance("#111111") + 0.05), 4, state)

    def test_how_far_a_run_is_says_what_is_reused_and_how_it_ended(self):
        self.assertIn("<b>w</b> … <span", progress_html("w", {}, 0, []))
        asks = progress_html("w", {"counts": {"running": 1}, "asks": ["Publish <it>?"], "id": "r", "next": "npx almanac answer r"}, 0, [])
        self.assertIn("? <b>Publish &lt;it&gt;?</b> <code>npx almanac answer r</code>", asks)
        self.assertIn("2 reused <span", progress_html("w", {"counts": {}, "reused": 2}, 0, []))
        self.assertIn("0 s</span> <code style=\"opacity:.65\">r</code>", progress_html("w", {"id": "r"}, 0, []))
        some = progress_html("w", {"counts": {"running": 1, "failed": 0}, "reused": 2, "state": "running"}, 0, [])
        self.assertIn(">1 running</span> · 2 reused <span", some)
        self.assertIn(">failed</b> <span", progress_html("w", {"counts": {}, "reused": 0, "state": "failed"}, 0, []))

    def test_how_far_its_tasks_are_says_a_row_each_and_when_that_was(self):
        tasks = [
            {"name": "re<ad>", "total": 4, "counts": {"succeeded": 2, "failed": 1}},
            {"name": None, "total": 900, "counts": {}},
        ]
        shown = progress_html("w", {"counts": {"running": 1}, "tasks": tasks}, 3, [], (), datetime.datetime(2026, 1, 31, 14, 5, 7))
        self.assertIn("· 3 s, seen at 14:05:07</span>", shown)
        self.assertEqual(re.findall(r">(\d+/\d+)</td><td[^>]*>([^<]*)<", shown), [("3/4", "re&lt;ad&gt;"), ("0/900", "all others")])
        self.assertIn("width:50.00%", shown)
        self.assertNotIn("<table", progress_html("w", {"counts": {"running": 1}, "tasks": tasks[:1]}, 3, []))
        self.assertNotIn("seen at", progress_html("w", {"counts": {"succeeded": 4}, "tasks": tasks}, 3, []))

    def test_warnings_are_shown_with_how_far_a_run_is(self):
        shown = progress_html("w", {}, 0, [], ["t: <slow>"])
        self.assertIn('<div style="color:#c05600">! t: &lt;slow&gt;</div>', shown)

    def test_of_a_run_that_rests_the_questions_are_shown_and_how_to_go_on(self):
        told = {**TOLD, "state": "waiting", "function": "main"}
        schema = {"type": "object", "properties": {"accept": {}, "why": {}}}
        good = {"call": 3, "title": "Is <it> good?", "shown": ["range  3"], "schema": schema}
        shown = run_html({**told, "next": "almanac answer r", "asks": [good]})
        self.assertIn("? <b>Is &lt;it&gt; good?</b>", shown)
        self.assertIn("range  3", shown)
        answer = html.escape('almanac.answer("r", {"accept": …, "why": …}')
        self.assertIn(f"<code>{answer})</code>", shown)
        self.assertIn("<code>almanac.resume(main)</code> goes on", shown)
        self.assertNotIn("<code>almanac answer r</code>", shown)
        sharp = {"call": 4, "title": "Is it sharp?", "schema": {"type": "boolean"}}
        both = run_html({**told, "next": "almanac answer r", "asks": [good, sharp]})
        self.assertIn(f"<code>{answer}, call=3)</code>", both)
        other = html.escape('almanac.answer("r", …, call=4)')
        self.assertIn(f"<code>{other}</code>", both)
        message = run_html({**told, "next": "almanac send r gain …"})
        self.assertIn("<code>almanac send r gain …</code>, and <code>almanac.resume(main)</code> goes on", message)
        self.assertNotIn("goes on", run_html(told))

    def test_images_that_a_person_is_to_judge_are_shown_with_the_question(self):
        with directory():
            for name in ("fit.png", "log.txt"):
                with open(name, "wb") as file:
                    file.write(b"it")
            ask = {"call": 1, "title": "Good?", "shown": ["fit  fit.png", "log  log.txt"], "files": {"fit": "fit.png", "gone": "gone.png", "log": "log.txt"}}
            shown = run_html({**TOLD, "state": "waiting", "asks": [ask]})
        self.assertEqual((re.findall('alt="(.*?)"', shown), shown.count("log.txt")), (["fit"], 1))

    def test_of_many_artifacts_the_last_are_shown(self):
        artifacts = {str(n): Artifact(str(n), {"kind": "markdown", "text": f"text {n};"}) for n in range(100)}
        shown = run_html({**TOLD, "artifacts": artifacts})
        self.assertEqual([f"text {n};" in shown for n in (69, 70, 99)], [False, True, True])
        self.assertIn("the last 30 of 100 artifacts", shown)


if __name__ == "__main__":
    unittest.main()
