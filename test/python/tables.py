"""Tasks of the tests with data frames and tables."""

import os

import numpy as np
import pandas as pd
import pyarrow as pa


def frame():
    """Of so many rows that its columns travel beside the rest; the first three are unlike the others."""
    n = 20_000
    made = pd.DataFrame(
        {
            "whole": np.arange(n),
            "real": np.where(np.arange(n) == 1, np.nan, np.arange(n) / 2),
            "maybe": pd.array([1, None, 3] + [0] * (n - 3), dtype="Int64"),
            "text": ["a", "größe", None] + ["x"] * (n - 3),
            "kind": pd.Categorical(["low", "high", "low"] + ["low"] * (n - 3), categories=["low", "high"], ordered=True),
            "at": pd.date_range("2026-01-02", periods=n, freq="s", tz="Europe/Berlin"),
        },
        index=pd.Index(np.arange(n) * 10, name="row"),
    )
    made.attrs["station"] = "LM"
    return made


def table():
    """In two chunks, the second a slice, whose buffers begin before it."""
    n = 20_000
    schema = pa.schema(
        [
            pa.field("whole", pa.int64(), metadata={"unit": "m"}),
            pa.field("real", pa.float64()),
            pa.field("flag", pa.bool_()),
            pa.field("text", pa.string()),
            pa.field("kind", pa.dictionary(pa.int8(), pa.string())),
            pa.field("list", pa.list_(pa.int16())),
            pa.field("at", pa.timestamp("us", tz="UTC")),
        ],
        metadata={"station": "LM"},
    )
    columns = [
        pa.array(range(n), pa.int64()),
        pa.array([0.5, None, float("nan")] + [1.0] * (n - 3)),
        pa.array([True, None, False] + [True] * (n - 3)),
        pa.array(["a", "größe", None] + ["x"] * (n - 3)),
        pa.array(["low", "high", None] + ["low"] * (n - 3)).dictionary_encode().cast(schema.field("kind").type),
        pa.array([[1, 2], [], None] + [[3]] * (n - 3), pa.list_(pa.int16())),
        pa.array([0, None, 1_000_000] + [2] * (n - 3), pa.timestamp("us", tz="UTC")),
    ]
    whole = pa.Table.from_arrays(columns, schema=schema)
    return pa.concat_tables([whole.slice(0, 3), whole.slice(5, n - 10)])


def same_frame(it):
    """What differs from what `frame` makes, by pandas' own comparison, is an error."""
    pd.testing.assert_frame_equal(it, frame(), check_freq=False)
    return {"pid": os.getpid(), "station": it.attrs}


def same_table(it):
    """The same for a table: its buffers, types, metadata and values."""
    it.validate(full=True)
    wanted = table()
    assert it.schema.equals(wanted.schema, check_metadata=True), it.schema
    # as texts, in which NaN is like NaN
    assert repr(it.to_pylist()) == repr(wanted.to_pylist())
    return {"pid": os.getpid(), "station": {key.decode(): value.decode() for key, value in it.schema.metadata.items()}}


def where(it):
    return os.getpid()


def wait(path, it):
    import time

    while not os.path.exists(path):
        time.sleep(0.005)
