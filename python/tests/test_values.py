import dataclasses
import datetime
import enum
import json
import threading
import typing
import unittest

from almanac_worker.shared import values


def refuse(value, path):
    return None


def blob(data):
    return {"$": "blob", "size": len(data)}


encoder = values.Encoder(refuse, blob)


class Encoding(unittest.TestCase):
    def test_plain_values_are_themselves(self):
        for value in [None, True, 1, -0.0, 1.5, "text", [], {}, [1, [2]], {"a": {"b": None}}]:
            self.assertEqual(encoder.wire(value), value)

    def test_numbers_that_json_lacks(self):
        self.assertEqual(encoder.wire(float("nan")), {"$": "number", "v": "NaN"})
        self.assertEqual(encoder.wire(float("-inf")), {"$": "number", "v": "-Infinity"})
        self.assertEqual(encoder.wire(2**53 - 1), 2**53 - 1)
        self.assertEqual(encoder.wire(2**53), {"$": "bigint", "v": str(2**53)})
        self.assertEqual(encoder.wire(-(2**53)), {"$": "bigint", "v": str(-(2**53))})

    def test_long_lists_are_judged_item_by_item_where_they_must_be(self):
        for item in [float("inf"), 2**60, b"x", {"$": 1}]:
            for filler in [1, 0.5, "a", None]:
                wire = encoder.wire([filler] * 100 + [item])
                self.assertEqual(wire[:100], [filler] * 100)
                self.assertEqual(wire[100], encoder.wire(item))

    def test_a_key_of_our_own_is_wrapped(self):
        self.assertEqual(encoder.wire({"$": {"$": 1}}), {"$": "object", "v": {"$": {"$": "object", "v": {"$": 1}}}})

    def test_enums_and_models_are_what_they_stand_for(self):
        class Kind(enum.Enum):
            A = "a"
            PAIR = (1, 2)

        class Text(str, enum.Enum):
            B = "b"

        class Number(enum.IntEnum):
            ONE = 1

        class Model:
            def model_dump(self):
                return {"kind": Kind.A, "at": datetime.date(2026, 1, 2)}

        for value, wire in [
            (Kind.A, "a"),
            (Kind.PAIR, [1, 2]),
            (Text.B, "b"),
            (Number.ONE, 1),
            ({"models": [Model()]}, {"models": [{"kind": "a", "at": "2026-01-02"}]}),
        ]:
            self.assertEqual(encoder.wire(value), wire)

    def test_dataclasses_are_their_fields(self):
        @dataclasses.dataclass
        class Scaled:
            low: int
            unit: typing.ClassVar[str] = "m"
            by: dataclasses.InitVar[int]
            kept: int = dataclasses.field(init=False)

            def __post_init__(self, by):
                self.kept = self.low * by

        self.assertEqual(encoder.wire([Scaled(2, 3)]), [{"low": 2, "kept": 6}])

    def test_dates(self):
        zone = datetime.timezone(datetime.timedelta(hours=-5))
        self.assertEqual(
            encoder.wire(datetime.datetime(2026, 1, 2, 22, 0, 0, 999_999, zone)), {"$": "date", "v": "2026-01-03T03:00:00.999999Z"}
        )
        self.assertEqual(encoder.wire(datetime.datetime(2026, 1, 2, 3, 0, 0, 7000)), {"$": "date", "v": "2026-01-02T03:00:00.007Z"})
        self.assertEqual(encoder.wire(datetime.datetime(1, 1, 1)), {"$": "date", "v": "0001-01-01T00:00:00.000Z"})

    def test_what_is_refused_is_named_with_its_path(self):
        class Unknown:
            pass

        for value, why in [
            ({"a": [1, {"b": Unknown()}]}, "at a[1].b: it is an instance of "),
            ([{1: 2}], "at [0]: its key 1 is no text"),
            ({2}, "at (the value itself): it is a set"),
        ]:
            with self.assertRaises(values.Refused) as refused:
                encoder.wire(value)
            self.assertIn(why, str(refused.exception))

    def test_what_has_arrays_within_is_refused_with_what_cannot_be_serialised(self):
        class Table:
            def __array__(self):
                return [threading.Lock()]

            def __reduce__(self):
                return list, (threading.Lock(),)

        with self.assertRaises(values.Refused) as refused:
            encoder.wire([Table()])
        self.assertRegex(
            str(refused.exception),
            r"^at \[0\]: it is an instance of .*Table, which cannot be serialised: TypeError: cannot pickle '_thread.lock' object$",
        )

    def test_what_contains_itself_is_refused(self):
        value: dict = {}
        value["a"] = [value]
        with self.assertRaises(values.Refused):
            encoder.wire(value)


class Decoding(unittest.TestCase):
    def decode(self, wire):
        return values.decode(json.dumps(wire), lambda fields: ("held", fields["handle"]))

    def test_special_values(self):
        self.assertEqual(self.decode({"$": "bigint", "v": "-12"}), -12)
        self.assertIsNone(self.decode({"$": "undefined"}))
        self.assertEqual(str(self.decode({"$": "number", "v": "-0"})), "-0.0")
        self.assertEqual(self.decode({"$": "number", "v": "-Infinity"}), float("-inf"))
        self.assertEqual(self.decode([{"$": "held", "handle": 3}]), [("held", 3)])
        self.assertEqual(str(self.decode({"$": "file", "at": "/a b/ü"})), "/a b/ü")
        self.assertEqual(
            self.decode({"$": "date", "v": "2026-01-02T03:04:05.006Z"}),
            datetime.datetime(2026, 1, 2, 3, 4, 5, 6000, datetime.timezone.utc),
        )

    def test_pairs_are_objects_with_any_key(self):
        self.assertEqual(
            self.decode({"$": "pairs", "v": [["$", "date"], ["v", {"$": "pairs", "v": [["$", 1]]}]]}),
            {"$": "date", "v": {"$": 1}},
        )


if __name__ == "__main__":
    unittest.main()
