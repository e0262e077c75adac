"""What is public is of the module that authors import."""

from __future__ import annotations

import importlib
import os
import pickle
import pydoc
import sys
import typing
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import almanac  # noqa: E402

PUBLIC = {name: getattr(almanac, name) for name in almanac.__all__}
NAMED = {name: one for name, one in PUBLIC.items() if hasattr(one, "__qualname__")}


class Public(unittest.TestCase):
    def test_classes_and_functions_are_of_the_module_that_authors_import(self) -> None:
        elsewhere = {name: one.__module__ for name, one in NAMED.items() if one.__module__ != "almanac"}
        self.assertEqual(
            elsewhere,
            {
                "AlmanacError": "almanac.errors",
                "RunFailed": "almanac.errors",
                "TaskFailed": "almanac.errors",
                "WorkflowRefused": "almanac.errors",
                "Ask": "almanac._runs.runs",
                "RunRecord": "almanac._runs.runs",
                "Message": "almanac._runs.messages",
                "DocumentState": "almanac._flow.documents",
            },
        )
        self.assertEqual(repr(almanac.Future), "<class 'almanac.Future'>")
        self.assertIn("class Future in module almanac", pydoc.plain(pydoc.render_doc(almanac.Future)))

    def test_they_are_pickled_by_that_name_and_found_by_the_one_that_they_had(self) -> None:
        self.assertEqual({name: pickle.loads(pickle.dumps(one)) for name, one in NAMED.items()}, NAMED)
        self.assertIs(importlib.import_module("almanac._model.values").File, almanac.File)

    def test_fields_of_classes_have_the_types_that_their_annotations_name(self) -> None:
        state = typing.get_type_hints(almanac.DocumentState)
        self.assertIs(state["version"], int)
        for one in (almanac.Ask, almanac.Message, almanac.RunRecord, almanac.File, almanac.Future, almanac.Task):
            with self.subTest(one):
                self.assertIsInstance(typing.get_type_hints(one), dict)


if __name__ == "__main__":
    unittest.main()
