"""Tests of the steps, on inputs made here and on what `iris-sample-data` holds: `python -m unittest test_steps`."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray

import baseline
import steps
from forecast_combine import open_over
from forecast_files import BadFile
from forecast_grib import fields_in, load_eccodes
from forecast_judge import period_of

HERE = Path(__file__).parent
LATITUDES, LONGITUDES = np.array([50.0, 51, 52]), np.arange(100.0)


class Case(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="forecast ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.raw = self.made("raw")

    def made(self, name: str) -> Path:
        (self.folder / name).mkdir()
        return self.folder / name

    def quality(self, name: str) -> tuple[bool, str | None]:
        report = steps.quality_control(self.raw / name)
        json.dumps(report, allow_nan=False)
        return report["ok"], report["reason"]

    def indexed(self, raw: Path | None = None) -> tuple[Path, steps.Report]:
        """All files of a directory indexed and combined."""
        raw = raw or self.raw
        refs, index = Path(tempfile.mkdtemp(dir=self.folder)), Path(tempfile.mkdtemp(dir=self.folder)) / "index.json"
        for file in raw.rglob("*"):
            if file.is_file():
                steps.index(file, refs=baseline.place(refs, file.relative_to(raw).as_posix()))
        return index, steps.combine(refs, raw, index=index)


def write(file: Path, values: Any = None, format: str = "NETCDF4", **changes: Any) -> Path:
    """A file of two-metre temperatures, one step unless `values` has more."""
    values = np.full((1, 3, 100), 280.0) if values is None else values
    about = {
        "times": np.arange(len(values)),
        "time_units": "days since 2001-02-03",
        "units": "K",
        "name": "t2m",
    } | changes
    with netCDF4.Dataset(str(file), "w", format=format) as dataset:
        for name, size in (("time", None), ("latitude", 3), ("longitude", 100), ("bnds", 2)):
            dataset.createDimension(name, size)
        chunks = {} if format != "NETCDF4" else {"chunksizes": about.get("time_chunks")}
        time = dataset.createVariable("time", "f8", ("time",), **chunks)
        time.setncatts({"standard_name": "time", "units": about["time_units"]})
        time.calendar = about.get("calendar", "standard")
        if len(values):
            time[:] = about["times"]
        if "bounds" in about:
            time.bounds = "time_bnds"
            dataset.createVariable("time_bnds", "f8", ("time", "bnds"))[:] = about["bounds"]
        for name, units, points in (
            ("latitude", "degrees_north", about.get("latitudes", LATITUDES)),
            ("longitude", "degrees_east", LONGITUDES),
        ):
            coordinate = dataset.createVariable(name, "f4", (name,))
            coordinate.setncatts({"standard_name": name, "units": units})
            coordinate[:] = points
        kind, fill = about.get("kind", "f4"), about.get("fill")
        packed = {} if format != "NETCDF4" else {"zlib": about.get("packed", False), "chunksizes": about.get("chunks")}
        variable = dataset.createVariable(
            about["name"], kind, ("time", "latitude", "longitude"), fill_value=fill, **packed
        )
        variable.setncatts({"units": about["units"], "standard_name": about.get("standard_name", "air_temperature")})
        variable.setncatts(about.get("coding", {}))
        if len(values):
            variable[:] = values
        variable.setncatts(about.get("spoiled", {}))
    return file


def grib_message(hour: int, value: float = 280.0, edition: int = 1, **keys: Any) -> bytes:
    """A message of two-metre temperatures for an hour of 2001-02-03."""
    eccodes = load_eccodes()
    handle = eccodes.codes_grib_new_from_samples(f"regular_ll_sfc_grib{edition}")
    wanted = {"shortName": "2t", "dataDate": 20010203, "dataTime": hour * 100, "Ni": 20, "Nj": 3}
    wanted |= {"latitudeOfFirstGridPointInDegrees": 52, "latitudeOfLastGridPointInDegrees": 50}
    wanted |= {"longitudeOfFirstGridPointInDegrees": 0, "longitudeOfLastGridPointInDegrees": 19}
    wanted |= {"iDirectionIncrementInDegrees": 1, "jDirectionIncrementInDegrees": 1}
    for key, content in (wanted | keys).items():
        eccodes.codes_set(handle, key, content)
    eccodes.codes_set_values(handle, value + np.arange(60) / 16)
    message = eccodes.codes_get_message(handle)
    eccodes.codes_release(handle)
    return message


class Acquire(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.raw = Path(folder.name) / "raw"
        cls.result = steps.acquire(raw=cls.raw)

    def test_lays_out_a_file_for_each_month(self) -> None:
        names = sorted(file.name for file in self.raw.iterdir())
        self.assertEqual(self.result, {"files": 54, "first": "2006-04", "last": "2010-09"})
        self.assertEqual((len(names), names[0], names[-1]), (54, "ostia_sst_2006-04.nc", "ostia_sst_2010-09.nc"))

    def test_keeps_values_units_and_attributes(self) -> None:
        import iris_sample_data

        with netCDF4.Dataset(f"{iris_sample_data.path}/ostia_monthly.nc") as source:
            with netCDF4.Dataset(str(self.raw / "ostia_sst_2008-01.nc")) as copy:
                for dataset in (source, copy):
                    dataset.set_auto_maskandscale(False)
                self.assertTrue(copy.dimensions["time"].isunlimited())
                self.assertEqual(copy.__dict__, source.__dict__)
                self.assertEqual(list(copy.variables), list(source.variables))
                for name, variable in source.variables.items():
                    values = variable[21:22] if variable.dimensions[:1] == ("time",) else variable[...]
                    self.assertEqual(copy[name].__dict__, variable.__dict__)
                    self.assertEqual(copy[name].dtype, variable.dtype)
                    np.testing.assert_array_equal(copy[name][...], values)

    def test_gives_the_same_bytes_each_time_and_nothing_of_when_and_where(self) -> None:
        with tempfile.TemporaryDirectory() as other:
            env = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
            code = f"import steps, pathlib; steps.acquire(raw=pathlib.Path({other!r}))"
            subprocess.run([sys.executable, "-c", code], cwd=HERE, env=env, check=True)
            for file in self.raw.iterdir():
                self.assertEqual(file.read_bytes(), (Path(other) / file.name).read_bytes(), file.name)

    def test_all_files_are_fit_for_use(self) -> None:
        for file in self.raw.iterdir():
            report = steps.quality_control(file)
            self.assertTrue(report["ok"], report["reason"])
            self.assertEqual(set(report["checks"].values()), {"passed"})

    def test_a_month_is_described(self) -> None:
        file = self.raw / "ostia_sst_2006-04.nc"
        self.assertEqual(
            steps.quality_control(file),
            {
                "ok": True,
                "reason": None,
                "checks": {"opens": "passed", "time": "passed", "range": "passed", "missing": "passed"},
                "file": "ostia_sst_2006-04.nc",
                "format": "NetCDF-4",
                "bytes": file.stat().st_size,
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                "times": {"count": 1, "first": "2006-04-16T00:00:00", "last": "2006-04-16T00:00:00"},
                "bbox": [0.0, -4.999992, 359.1667, 4.44445],
                "variables": [
                    {
                        "name": "surface_temperature",
                        "standard_name": "surface_temperature",
                        "units": "K",
                        "shape": [1, 18, 432],
                        "min": 292.5207,
                        "max": 303.4094,
                        "missing": 2055,
                    }
                ],
            },
        )

    def test_the_script_does_all_steps(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            raw, out = Path(folder) / "raw", Path(folder) / "out"
            raw.mkdir()
            for file in sorted(self.raw.iterdir())[:3]:
                shutil.copy(file, raw)
            (raw / "late_2007-01.nc").write_bytes((raw / "ostia_sst_2006-04.nc").read_bytes()[:30_000])
            done = subprocess.run(
                [sys.executable, str(HERE / "baseline.py"), str(raw), str(out)],
                capture_output=True,
                text=True,
                check=True,
            )
            self.assertIn("quarantined  late_2007-01.nc: is cut short: 30000 of ", done.stdout)
            self.assertIn("4 files, 1 quarantined, 3 times, mean 301.2", done.stdout)
            names = {path.name for path in out.iterdir()}
            made = {"catalogue.sqlite", "index.json", "page.html", "mean_map.png", "area_mean.png", "quality.json"}
            self.assertEqual(names, made | {"compliance", "refs"})


class QualityControl(Case):
    def test_an_empty_file(self) -> None:
        (self.raw / "a.nc").touch()
        self.assertEqual(self.quality("a.nc"), (False, "is empty: 0 bytes"))

    def test_a_file_of_another_kind(self) -> None:
        (self.raw / "a.nc").write_text("1:0:d=2001:TMP: some words about GRIB files")
        self.assertEqual(self.quality("a.nc"), (False, "is neither NetCDF nor GRIB: it begins with b'1:0:d=20'"))

    def test_a_netcdf_file_cut_short_anywhere(self) -> None:
        whole = write(self.raw / "a.nc").read_bytes()
        for size in (1, 8, 60, 500, 5_000, len(whole) - 1):
            (self.raw / "b.nc").write_bytes(whole[:size])
            ok, reason = self.quality("b.nc")
            self.assertFalse(ok, size)
            if size >= 60:
                self.assertEqual(reason, f"is cut short: {size} of {len(whole)} bytes")

    def test_a_classic_file_cut_short(self) -> None:
        whole = write(self.raw / "a.nc", format="NETCDF3_CLASSIC").read_bytes()
        self.assertEqual(self.quality("a.nc"), (True, None))
        for size in (100, 1_000, len(whole) - 10):
            (self.raw / "b.nc").write_bytes(whole[:size])
            ok, reason = self.quality("b.nc")
            self.assertFalse(ok, size)
            self.assertRegex(str(reason), "is cut short|cannot be opened")

    def test_damaged_bytes_are_a_reason_not_an_exception(self) -> None:
        whole = write(
            self.raw / "a.nc", np.random.default_rng(1).uniform(270, 290, (1, 3, 100)), packed=True
        ).read_bytes()
        found = set()
        for at in range(0, len(whole), 293):
            (self.raw / "b.nc").write_bytes(whole[:at] + b"\xff" * 3 + whole[at + 3 :])
            found.add(self.quality("b.nc")[0])
        self.assertEqual(found, {True, False})

    def test_a_file_that_the_library_would_never_return_from(self) -> None:
        whole = bytearray(write(self.raw / "a.nc").read_bytes())
        start = whole.index(b"GCOL")
        at = start + 16
        while whole[at : at + 2] != b"\0\0":  # object 0 is the free space at the end of a heap
            at += 16 + -(-int.from_bytes(whole[at + 8 : at + 16], "little") // 8) * 8
        whole[at + 8 : at + 16] = bytes(8)
        (self.raw / "b.nc").write_bytes(whole)
        reason = "is corrupted (a heap of its attributes does not add up)"
        self.assertEqual(self.quality("b.nc"), (False, reason))

    def test_a_reason_does_not_say_where_the_file_lies(self) -> None:
        whole = bytearray(write(self.raw / "a.nc").read_bytes())
        whole[48:2_000] = bytes(1_952)
        (self.raw / "b.nc").write_bytes(whole)
        ok, reason = self.quality("b.nc")
        self.assertFalse(ok)
        self.assertNotIn(str(self.folder), str(reason))

    def test_a_file_that_is_not_there_is_our_mistake(self) -> None:
        with self.assertRaises(FileNotFoundError):
            steps.quality_control(self.raw / "a.nc")

    def test_a_time_that_disagrees_with_the_name(self) -> None:
        for name, good in {
            "t_2001-02.nc": True,
            "t_2001-03.nc": False,
            "t_20010203.nc": True,
            "t_20010204_00_more.nc": False,
            "t_2001020300.nc": True,
            "t_20010203T06.nc": False,
            "t_2001-02-03.nc": True,
            "t_20010101-20010301.nc": True,
            "t_20010301-20010401.nc": False,
            "20010203_12km.nc": True,
        }.items():
            write(self.raw / name)
            self.assertEqual(self.quality(name)[0], good, name)
        self.assertEqual(
            self.quality("t_2001-03.nc")[1],
            "holds the time 2001-02-03 00:00, which does not agree with its name (2001-03)",
        )

    def test_a_name_without_time_is_not_checked(self) -> None:
        report = steps.quality_control(write(self.raw / "t_12345678901.nc"))
        self.assertEqual(report["checks"]["time"], "not checked: the name has no time")
        self.assertTrue(report["ok"])

    def test_periods_of_names(self) -> None:
        for name, period in {
            "ostia_sst_2006-04.nc": ((2006, 4), (2006, 4)),
            "era5_2t_20190301T05.grib": ((2019, 3, 1, 5), (2019, 3, 1, 5)),
            "CMC_ps10km_2022072000_P000.grib2": ((2022, 7, 20, 0), (2022, 7, 20, 0)),
            "gec00_20250101_00_soilw.grib2": ((2025, 1, 1), (2025, 1, 1)),
            "nemo_1m_20150101-20150201_grid-T.nc": ((2015, 1, 1), (2015, 2, 1)),
            "run-202401151230Z.nc": ((2024, 1, 15, 12), (2024, 1, 15, 12)),
            "x_20199945.nc": None,
            "v1.2.3.nc": None,
        }.items():
            self.assertEqual(period_of(name), period, name)

    def test_a_mean_stamped_with_its_end_is_in_its_month(self) -> None:
        write(self.raw / "t_2001-02.nc", times=[28], time_units="days since 2001-02-01", bounds=[[0, 28]])
        write(self.raw / "u_2001-02.nc", times=[28], time_units="days since 2001-02-01")
        self.assertEqual((self.quality("t_2001-02.nc")[0], self.quality("u_2001-02.nc")[0]), (True, False))

    def test_times_of_a_calendar_of_360_days(self) -> None:
        write(self.raw / "t_20010230.nc", times=[29], time_units="days since 2001-02-01", calendar="360_day")
        self.assertEqual(self.quality("t_20010230.nc"), (True, None))

    def test_hours_as_fractions_of_days(self) -> None:
        for hour in range(24):
            write(self.raw / f"t_20010203{hour:02}.nc", times=[hour / 24])
            self.assertEqual(self.quality(f"t_20010203{hour:02}.nc"), (True, None))

    def test_units_of_time_that_nobody_understands(self) -> None:
        write(self.raw / "a.nc", time_units="fortnights since the flood")
        ok, reason = self.quality("a.nc")
        self.assertFalse(ok)
        self.assertRegex(str(reason), "its times cannot be read")

    def test_values_outside_the_physical_range(self) -> None:
        for name, values, changes, good in (
            ("a", 280.0, {}, True),
            ("b", 7.0, {}, False),
            ("c", 7.0, {"units": "degC"}, True),
            ("d", 7.0, {"units": "furlong"}, True),
            ("e", 320.0, {"name": "sst", "standard_name": "sea_surface_temperature"}, False),
            ("f", 320.0, {"name": "ts", "standard_name": "surface_temperature"}, True),
            ("sst", 320.0, {"name": "ts", "standard_name": "surface_temperature"}, False),
            ("g", np.inf, {"name": "x", "standard_name": "x"}, False),
        ):
            write(self.raw / f"{name}.nc", np.full((1, 3, 100), values), **changes)
            self.assertEqual(self.quality(f"{name}.nc")[0], good, name)
        self.assertEqual(self.quality("b.nc")[1], "t2m holds 7 to 7 K, outside 180 to 335")
        self.assertEqual(
            steps.quality_control(self.raw / "d.nc")["checks"]["range"], "not checked: t2m is in 'furlong'"
        )
        self.assertFalse(steps.quality_control(self.raw / "a.nc", ranges={"t2m": [200, 270]})["ok"])

    def test_a_step_without_any_value(self) -> None:
        values = np.ma.masked_all((3, 3, 100))
        values[0], values[2, 1, 5] = 280, 281
        write(self.raw / "a.nc", values, fill=-1.0)
        write(self.raw / "b.nc", np.full((1, 3, 100), np.nan))
        self.assertEqual(self.quality("a.nc"), (False, "all values of t2m are missing at step 2"))
        self.assertEqual(self.quality("b.nc"), (False, "t2m holds no value at all"))

    def test_more_declared_than_there_is(self) -> None:
        with netCDF4.Dataset(str(self.raw / "a.nc"), "w") as dataset:
            dataset.createDimension("x", 1 << 36)
            dataset.createVariable("v", "f4", ("x",), chunksizes=(1 << 20,))
        size = (self.raw / "a.nc").stat().st_size
        self.assertEqual(self.quality("a.nc"), (False, f"v declares 262144 MiB of values in a file of {size} bytes"))

    def test_a_file_without_data_or_without_steps(self) -> None:
        with netCDF4.Dataset(str(self.raw / "a.nc"), "w") as dataset:
            dataset.createDimension("x", 3)
        write(self.raw / "b.nc", np.zeros((0, 3, 100)))
        self.assertEqual(self.quality("a.nc"), (False, "has no variable with data"))
        self.assertEqual(self.quality("b.nc"), (False, "holds no time step"))

    def test_a_grib_file(self) -> None:
        (self.raw / "t_2001020306.grib").write_bytes(grib_message(6))
        report = steps.quality_control(self.raw / "t_2001020306.grib")
        self.assertEqual((report["ok"], report["format"], report["bbox"]), (True, "GRIB 1", [0.0, 50.0, 19.0, 52.0]))
        self.assertEqual(report["variables"][0]["shape"], [1, 60])
        self.assertEqual(list(self.raw.iterdir()), [self.raw / "t_2001020306.grib"])

    def test_bad_grib_files(self) -> None:
        message = grib_message(6)
        for name, content, reason in (
            ("short", message[:-20], "message 1 is cut short or corrupted"),
            ("second", message + message[:40], "message 2 is cut short or corrupted"),
            ("end", message[:-4] + b"7770", "message 1 is cut short or corrupted"),
            ("2001020307", message, "holds the time 2001-02-03 06:00, which does not agree"),
            ("cold", grib_message(6, 100.0), "2t holds 100 to 103.688 K, outside 180 to 335"),
            ("step", grib_message(6, iDirectionIncrementInDegrees=5), "its grid of 20 points over 19 degrees"),
        ):
            (self.raw / name).write_bytes(content)
            ok, found = self.quality(name)
            self.assertFalse(ok, name)
            self.assertIn(reason, str(found), name)

    def test_padding_about_grib_messages(self) -> None:
        (self.raw / "a").write_bytes(b"\r\nGTS header " + grib_message(6) + bytes(50) + grib_message(7) + bytes(600))
        self.assertEqual(self.quality("a"), (True, None))

    def test_several_fields_in_one_message(self) -> None:
        message = grib_message(6, edition=2)
        at = 16
        while message[at + 4] != 4:  # the sections from the product's on are those of a field
            at += int.from_bytes(message[at : at + 4], "big")
        double = bytearray(message[:-4] + message[at:])
        double[8:16] = len(double).to_bytes(8, "big")
        self.assertEqual((fields_in(message), fields_in(bytes(double))), (1, 2))
        (self.raw / "a").write_bytes(double)
        reason = "message 1 packs 2 fields, of which only the first can be indexed"
        self.assertEqual(self.quality("a"), (False, reason))


class Compliance(Case):
    def test_findings_by_priority(self) -> None:
        result = steps.compliance(write(self.raw / "a.nc"), report=self.folder / "r.json")
        report = json.loads((self.folder / "r.json").read_text())
        self.assertEqual((result["high"], result["crashed"], result["skipped"]), (0, [], None))
        self.assertLess(result["score"], result["possible"])
        self.assertEqual({key: report[key] for key in result}, result)
        texts = [text for section in report["sections"] for text in section["messages"]]
        self.assertIn("§2.6.2 global attribute title should exist and be a non-empty string", texts)
        write(self.raw / "b.nc", units="no unit at all")
        self.assertGreater(steps.compliance(self.raw / "b.nc", report=self.folder / "r.json")["high"], 0)

    def test_a_check_that_crashes_is_reported(self) -> None:
        write(self.raw / "a.nc", spoiled={"scale_factor": "one", "add_offset": "two"})
        result = steps.compliance(self.raw / "a.nc", report=self.folder / "r.json")
        message = "check_add_offset_scale_factor_type: AttributeError: 'str' object has no attribute 'dtype'"
        self.assertEqual(result["crashed"], [message])
        self.assertGreater(result["possible"], 0)

    def test_what_is_no_netcdf_is_skipped(self) -> None:
        (self.raw / "a").write_bytes(grib_message(6))
        (self.raw / "b").write_bytes(b"")
        nothing = {"high": 0, "medium": 0, "low": 0, "score": 0, "possible": 0, "crashed": []}
        for name, why in (("a", "not NetCDF"), ("b", "is empty: 0 bytes")):
            result = steps.compliance(self.raw / name, report=self.folder / "r.json")
            self.assertEqual(result, nothing | {"skipped": why})
            self.assertEqual(json.loads((self.folder / "r.json").read_text())["skipped"], why)

    def test_the_report_is_the_same_wherever_the_file_lies(self) -> None:
        other = self.made("other place")
        for place in (self.raw, other):
            write(place / "a.nc", coding={"coordinates": "nowhere"})
            steps.compliance(place / "a.nc", report=self.folder / f"{place.name}.json")
        one, two = ((self.folder / f"{place.name}.json").read_bytes() for place in (self.raw, other))
        self.assertEqual(one, two)
        self.assertNotIn(str(self.folder).encode(), one)

    def test_a_file_sends_the_check_nowhere(self) -> None:
        import requests

        asked: list[str] = []
        real = requests.get
        self.addCleanup(setattr, requests, "get", real)
        requests.get = lambda url, **_: asked.append(url) or real("file:///")
        with netCDF4.Dataset(str(write(self.raw / "a.nc")), "a") as dataset:
            dataset.standard_name_vocabulary = "CF Standard Name Table v30"
        result = steps.compliance(self.raw / "a.nc", report=self.folder / "r.json")
        self.assertEqual((asked, result["crashed"]), ([], []))


class Index(Case):
    def test_references_are_relative_and_the_same_everywhere(self) -> None:
        other = self.made("other")
        for place in (self.raw, other):
            write(place / "a 1.nc")
            (place / "b.grib").write_bytes(grib_message(6))
            for name in ("a 1.nc", "b.grib"):
                steps.index(place / name, refs=self.folder / f"{place.name} {name}")
        for name in ("a 1.nc", "b.grib"):
            one, two = ((self.folder / f"{place.name} {name}").read_bytes() for place in (self.raw, other))
            self.assertEqual(one, two)
            self.assertNotIn(b"/tmp", one)
            content = json.loads(one)
            urls = {ref[0] for ref in content["refs"].values() if isinstance(ref, list)}
            self.assertEqual((content["version"], content["templates"], urls), (1, {"u": "."}, {"{{u}}/" + name}))

    def test_references_of_one_file_open(self) -> None:
        values = np.random.default_rng(1).uniform(270, 290, (2, 3, 100)).astype("f4")
        result = steps.index(write(self.raw / "a.nc", values, packed=True), refs=self.folder / "r.json")
        self.assertEqual(result["arrays"], 4)
        with open_over(self.folder / "r.json", self.raw) as dataset:
            np.testing.assert_array_equal(dataset.t2m.values, values)

    def test_all_messages_of_a_grib_file(self) -> None:
        for edition in (1, 2):
            messages = [grib_message(hour, 280 + hour, edition) for hour in (7, 6, 8)]
            (self.raw / "a.grib").write_bytes(b"".join(m + bytes(9) for m in messages) + bytes(700))
            steps.index(self.raw / "a.grib", refs=self.folder / "r.json")
            with open_over(self.folder / "r.json", self.raw) as dataset:
                self.assertEqual(dict(dataset.t2m.sizes), {"time": 3, "latitude": 3, "longitude": 20})
                self.assertEqual([str(t)[11:13] for t in dataset.time.values], ["06", "07", "08"])
                np.testing.assert_allclose(dataset.t2m.values[:, 0, 0], [286, 287, 288], atol=0.01)
                np.testing.assert_allclose(dataset.latitude.values, [52, 51, 50])

    def test_grib_files_that_make_no_sense_as_one(self) -> None:
        for content, reason in (
            (grib_message(6) * 2, "more than once for 2001-02-03T06:00:00"),
            (grib_message(6) + grib_message(7, shortName="sp"), "at times of its own"),
        ):
            (self.raw / "a.grib").write_bytes(content)
            with self.assertRaisesRegex(ValueError, reason):
                steps.index(self.raw / "a.grib", refs=self.folder / "r.json")

    def test_a_bad_file_and_an_impossible_name(self) -> None:
        (self.raw / "a.nc").write_bytes(b"")
        with self.assertRaisesRegex(BadFile, "is empty"):
            steps.index(self.raw / "a.nc", refs=self.folder / "r.json")
    def test_braces_in_names_are_no_templates(self) -> None:
        values = np.random.default_rng(1).uniform(270, 290, (3, 3, 100)).astype("f4")
        for format in ("NETCDF4", "NETCDF3_CLASSIC"):
            for day, name in enumerate(("{{u}}.nc", "a}b{.nc", "{# {% x")):
                write(self.raw / name, values[day : day + 1], times=[day], format=format)
            index, result = self.indexed()
            self.assertEqual((result["files"], result["times"]), (3, 3))
            with open_over(index, self.raw) as dataset:
                np.testing.assert_array_equal(dataset.t2m.values, values)


class Combine(Case):
    def test_files_become_one_over_time(self) -> None:
        values = np.random.default_rng(1).uniform(270, 290, (4, 3, 100)).astype("f4")
        for day, name in enumerate(("d", "b é\n1", "c #%?&", "a::b")):
            write(self.raw / name, values[day : day + 1], times=[day])
        index, result = self.indexed()
        self.assertEqual(
            result,
            {
                "files": 4,
                "times": 4,
                "first": "2001-02-03T00:00:00",
                "last": "2001-02-06T00:00:00",
                "variables": {"t2m": [4, 3, 100]},
            },
        )
        with open_over(index, self.raw) as dataset:
            np.testing.assert_array_equal(dataset.t2m.values, values)

    def test_the_same_bytes_wherever_the_data_lie(self) -> None:
        other = self.made("other")
        for place in (self.raw, other):
            for day in range(3):
                write(place / f"{day}.nc", times=[day])
        one, two = (self.indexed(place)[0].read_bytes() for place in (self.raw, other))
        self.assertEqual(one, two)
        self.assertNotIn(str(self.folder).encode(), one)

    def test_directories_within_the_data(self) -> None:
        for day in range(3):
            write(baseline.place(self.raw, f"2001/{day}/a.nc"), times=[day])
        index, result = self.indexed()
        self.assertEqual((result["files"], result["times"]), (3, 3))
        self.assertIn("{{u}}/2001/1/a.nc", index.read_text())

    def test_true_zeros_stay_and_missing_values_are_missing(self) -> None:
        for format in ("NETCDF4", "NETCDF3_CLASSIC"):
            for kind, fill, coding in (
                ("f4", None, {}),
                ("f4", -9.0, {}),
                ("i2", -9, {"scale_factor": 0.5, "add_offset": 3.0}),
            ):
                shutil.rmtree(self.raw)
                self.raw.mkdir()
                values = np.ma.zeros((1, 3, 100))
                values[0, 1] = 5
                if fill is not None:
                    values[0, 2] = np.ma.masked
                for day in range(2):
                    write(self.raw / f"{day}.nc", values, format, times=[day], kind=kind, fill=fill, coding=coding)
                with open_over(self.indexed()[0], self.raw) as dataset:
                    for day in range(2):
                        np.testing.assert_array_equal(dataset.t2m.values[day], values[0].filled(np.nan))

    def test_times_counted_from_a_start_of_each_files_own(self) -> None:
        for day in range(3):
            units = f"hours since 2001-02-{day + 3:02}"
            write(self.raw / f"{day}.nc", times=[0], time_units=units, bounds=[[-12, 12]])
        index, result = self.indexed()
        self.assertEqual((result["first"], result["last"]), ("2001-02-03T00:00:00", "2001-02-05T00:00:00"))
        with open_over(index, self.raw) as dataset:
            bounds = [[str(end) for end in pair.astype("M8[h]")] for pair in dataset.time_bnds.values]
        self.assertEqual(bounds[2], ["2001-02-04T12", "2001-02-05T12"])

    def test_files_of_different_length(self) -> None:
        rng = np.random.default_rng(1)
        values = [rng.uniform(270, 290, (steps_, 3, 100)).astype("f4") for steps_ in (3, 1, 2)]
        at = 0
        for name, part in zip("abc", values):
            write(
                self.raw / name,
                part,
                times=np.arange(at, at + len(part)),
                chunks=(len(part), 3, 100),
                time_chunks=(512,),
            )
            at += len(part)
        index, result = self.indexed()
        self.assertEqual(result["times"], 6)
        with open_over(index, self.raw) as dataset:
            np.testing.assert_array_equal(dataset.t2m.values, np.concatenate(values))

    def test_packed_chunks_that_do_not_fit(self) -> None:
        rng = np.random.default_rng(1)
        for name, at, length in (("a", 0, 60), ("b", 60, 59)):
            values = rng.uniform(270, 290, (length, 3, 100))
            write(self.raw / name, values, times=np.arange(at, at + length), chunks=(60, 3, 100), packed=True)
        index, result = self.indexed()
        self.assertEqual(result["times"], 119)
        write(
            self.raw / "c",
            rng.uniform(270, 290, (60, 3, 100)),
            times=np.arange(119, 179),
            chunks=(60, 3, 100),
            packed=True,
        )
        with self.assertRaisesRegex(ValueError, "packed chunks of 60 time steps of t2m do not fit the 59 steps of b"):
            self.indexed()

    def test_what_does_not_belong_together(self) -> None:
        write(self.raw / "a.nc", times=[0])
        for reason, changes in {
            "both hold the time 2001-02-03": {"times": [0]},
            "latitude of b.nc has other values": {"times": [1], "latitudes": LATITUDES[::-1]},
            "do not hold the same variables: t2m, tas": {"times": [1], "name": "tas"},
            "t2m of b.nc has another shape, type or coding": {"times": [1], "kind": "f8"},
            "t2m of b.nc has another": {"times": [1], "units": "degC"},
        }.items():
            write(self.raw / "b.nc", **changes)
            with self.assertRaisesRegex(ValueError, reason):
                self.indexed()

    def test_no_references(self) -> None:
        with self.assertRaisesRegex(ValueError, "no file was indexed"):
            steps.combine(self.made("refs"), self.raw, index=self.folder / "index.json")

    def test_data_that_are_elsewhere(self) -> None:
        write(self.raw / "a.nc", times=[0])
        write(self.raw / "b.nc", times=[1])
        refs = self.made("refs")
        for name in ("a.nc", "b.nc"):
            steps.index(self.raw / name, refs=refs / name)
        with self.assertRaises((OSError, RuntimeError)):
            steps.combine(refs, self.made("elsewhere"), index=self.folder / "index.json")

    def test_hourly_grib_files(self) -> None:
        for hour in (5, 3, 4):
            (self.raw / f"t_20010203T{hour:02}.grib").write_bytes(grib_message(hour, 280 + hour))
        index, result = self.indexed()
        self.assertEqual((result["times"], result["variables"]), (3, {"t2m": [3, 3, 20]}))
        with open_over(index, self.raw) as dataset:
            np.testing.assert_allclose(dataset.t2m.values[:, 0, 0], [283, 284, 285], atol=0.01)

    def test_a_coordinate_of_time_by_another_name(self) -> None:
        import iris_sample_data

        for file in (Path(iris_sample_data.path) / "NEMO").glob("*.nc"):
            shutil.copy(file, self.raw)
        index, result = self.indexed()
        self.assertEqual(
            (result["times"], result["first"], result["last"]), (3, "2015-01-16T00:00:00", "2015-03-16T00:00:00")
        )
        with open_over(index, self.raw) as dataset:
            self.assertAlmostEqual(float(dataset.tos[1].mean(dtype="f8")), 14.2316, places=4)

    def test_the_other_order_of_loading_libraries(self) -> None:
        """ecCodes and pyproj bring libraries that crash a process if loaded the other way round."""
        write(self.raw / "a.nc")
        (self.raw / "b.grib").write_bytes(grib_message(6))
        code = (
            "import steps, sys, pathlib; raw, out = map(pathlib.Path, sys.argv[1:]);"
            "steps.quality_control(raw / 'b.grib'); steps.index(raw / 'b.grib', refs=out);"
            "print(steps.compliance(raw / 'a.nc', report=out)['crashed'])"
        )
        command = [sys.executable, "-c", code, str(self.raw), str(self.folder / "out")]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, "[]\n"))


class ToZarr(Case):
    def test_a_store_with_the_same_content(self) -> None:
        values = np.random.default_rng(1).uniform(0, 9, (3, 3, 100)).round()
        for day in range(3):
            write(self.raw / f"{day}.nc", values[day : day + 1], times=[day], bounds=[[day, day + 1]])
        index, _ = self.indexed()
        result = steps.to_zarr(index, self.raw, store=self.folder / "store")
        self.assertEqual(result, {"times": 3, "variables": ["t2m", "time_bnds"], "appends": 1})
        with xarray.open_zarr(self.folder / "store") as stored, open_over(index, self.raw) as dataset:
            self.assertTrue(stored.identical(dataset))
            self.assertEqual(stored.t2m.encoding["chunks"], (1, 3, 100))

    def test_blocks_are_appended_and_what_stays_keeps_its_bytes(self) -> None:
        big = np.random.default_rng(1).uniform(0, 9, (5, 3, 100))
        for day in range(5):
            write(self.raw / f"{day}.nc", big[day : day + 1], times=[day])
        index, _ = self.indexed()
        self.addCleanup(setattr, steps, "BLOCK", steps.BLOCK)
        steps.BLOCK = 3_000
        result = steps.to_zarr(index, self.raw, store=self.folder / "one")
        self.assertEqual(result["appends"], 3)
        steps.BLOCK = 1 << 20
        steps.to_zarr(index, self.raw, store=self.folder / "two")
        files = {str(f.relative_to(self.folder / "one")) for f in (self.folder / "one").rglob("t2m/*")}
        self.assertEqual(len(files), 7)
        for name in files:
            self.assertEqual((self.folder / "one" / name).read_bytes(), (self.folder / "two" / name).read_bytes(), name)
        with xarray.open_zarr(self.folder / "one") as one, xarray.open_zarr(self.folder / "two") as two:
            self.assertTrue(one.identical(two))

    def test_grib(self) -> None:
        for hour in range(2):
            (self.raw / f"{hour}.grib").write_bytes(grib_message(hour))
        index, _ = self.indexed()
        steps.to_zarr(index, self.raw, store=self.folder / "store")
        with xarray.open_zarr(self.folder / "store") as stored, open_over(index, self.raw) as dataset:
            self.assertTrue(stored.equals(dataset))


class Results(Case):
    """The catalogue and the plots."""

    def setUp(self) -> None:
        super().setUp()
        for day in range(3):
            write(self.raw / f"t_2001020{day + 3}.nc", np.full((1, 3, 100), 280.0 + day), times=[day])
        self.index, _ = self.indexed()
        (self.raw / "<b>.nc").write_bytes(b"nonsense")
        names = sorted(file.name for file in self.raw.iterdir())
        self.reports = {name: steps.quality_control(self.raw / name) for name in names}
        out = self.folder / "r.json"
        self.compliance = {name: steps.compliance(self.raw / name, report=out) for name in names[1:]}

    def query(self, sql: str, **settings: Any) -> list[tuple]:
        db = self.folder / "catalogue.sqlite"
        db.unlink(missing_ok=True)
        self.result = steps.catalogue(self.reports, self.compliance, self.index, db=db, **settings)
        with contextlib.closing(sqlite3.connect(db)) as connection:
            return connection.execute(sql).fetchall()

    def test_the_catalogue_is_asked_for_times_areas_and_variables(self) -> None:
        rows = self.query(
            "SELECT path, first, times, west, south, east, north, cf_high, least, units FROM file JOIN variable"
            " USING (path) WHERE first >= '2001-02-04' AND standard_name = 'air_temperature' AND north > 51"
            " ORDER BY path"
        )
        place = (1, 0.0, 50.0, 99.0, 52.0, 0)
        self.assertEqual(
            rows,
            [
                ("t_20010204.nc", "2001-02-04T00:00:00", *place, 281.0, "K"),
                ("t_20010205.nc", "2001-02-05T00:00:00", *place, 282.0, "K"),
            ],
        )
        reason = "is neither NetCDF nor GRIB: it begins with b'nonsense'"
        size = sum(file.stat().st_size for file in self.raw.iterdir())
        self.assertEqual(
            self.result,
            {
                "files": 4,
                "quarantined": {"<b>.nc": reason},
                "bytes": size,
                "first": "2001-02-03T00:00:00",
                "last": "2001-02-05T00:00:00",
            },
        )
        digest = hashlib.sha256(b"nonsense").hexdigest()
        found = self.query("SELECT quarantined, sha256, cf_score FROM file WHERE path = '<b>.nc'")
        self.assertEqual(found, [(reason, digest, None)])
        index = hashlib.sha256(self.index.read_bytes()).hexdigest()
        self.assertEqual(self.query("SELECT * FROM dataset"), [(index, 4, 1)])
        self.assertEqual(self.query("SELECT result FROM quality WHERE path = '<b>.nc'"), [("failed",)])

    def test_a_gate_on_compliance_counts_crashed_checks(self) -> None:
        self.compliance["t_20010203.nc"] |= {"high": 1, "crashed": ["check: Error"]}
        self.assertEqual(self.query("SELECT count(*) FROM file WHERE quarantined IS NULL", max_high=2), [(3,)])
        rows = self.query("SELECT quarantined FROM file WHERE path = 't_20010203.nc'", max_high=1)
        self.assertEqual(rows, [("compliance: 2 findings of high priority, at most 1 allowed",)])
        self.assertEqual(self.result["first"], "2001-02-04T00:00:00")

    def test_reports_in_directories(self) -> None:
        for name, reports in (("reports", self.reports), ("compliance", self.compliance)):
            folder = self.made(name)
            for at, (path, report) in enumerate(reports.items()):
                (folder / (path + (".json" if at % 2 else ""))).write_text(json.dumps(report))
        one, two = self.folder / "one", self.folder / "two"
        steps.catalogue(self.reports, self.compliance, self.index, db=one)
        steps.catalogue(self.folder / "reports", self.folder / "compliance", self.index, db=two)
        self.assertEqual(one.read_bytes(), two.read_bytes())

    def drawn(self, name: str) -> tuple[steps.Report, dict[str, bytes]]:
        folder = self.made(name)
        out = {key: folder / key for key in ("page", "mean_map", "area_mean")}
        result = steps.plots(self.index, self.raw, self.reports, self.compliance, **out)
        return result, {key: path.read_bytes() for key, path in out.items()}

    def test_the_page_shows_means_and_the_quarantined(self) -> None:
        result, files = self.drawn("out")
        self.assertEqual(
            result,
            {
                "variable": "t2m",
                "units": "K",
                "times": 3,
                "first": "2001-02-03T00:00:00",
                "last": "2001-02-05T00:00:00",
                "mean": 281.0,
                "least": 280.0,
                "greatest": 282.0,
            },
        )
        page = files["page"].decode()
        self.assertIn("<td>&lt;b&gt;.nc</td><td>is neither NetCDF nor GRIB", page)
        self.assertNotIn("<b>.nc", page)
        self.assertEqual(page.count("data:image/png;base64,"), 2)
        for image in ("mean_map", "area_mean"):
            self.assertTrue(files[image].startswith(b"\x89PNG"))
        self.assertEqual(self.drawn("again")[1], files)

    def test_means_are_weighted_by_area_and_pass_over_what_is_missing(self) -> None:
        shutil.rmtree(self.raw)
        self.raw.mkdir()
        values = np.full((1, 3, 100), 280.0)
        values[0, 0] = 300
        values[0, 1] = np.nan
        write(self.raw / "a.nc", values, latitudes=[0, 30, 60])
        self.index, _ = self.indexed()
        self.reports, self.compliance = {"a.nc": steps.quality_control(self.raw / "a.nc")}, {}
        self.assertAlmostEqual(self.drawn("out")[0]["mean"], (300 + 280 / 2) / 1.5, places=4)


class Script(unittest.TestCase):
    def test_says_how_it_is_called(self) -> None:
        done = subprocess.run([sys.executable, str(HERE / "baseline.py")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("python baseline.py RAW_DIR OUT_DIR", done.stderr)

    def test_leaves_out_what_is_half_there(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a.nc", "b.nc.part", ".c", "d.grib.idx"):
                (Path(folder) / name).touch()
            self.assertEqual(list(baseline.files_of(Path(folder))), ["a.nc"])


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        unittest.main()
