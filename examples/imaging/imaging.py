"""
An image of a black hole from the visibilities of radio telescopes: each spectral window is measured and its stations
are calibrated, each of its channels is imaged and cleaned, and the images are added up in pairs. Where a window's image
is not what it should be, a person is asked, and what they say becomes part of the calibration that later runs use. The
same as `imaging.ts`.

    almanac run imaging.py                                  a known sky, seen by the stations of `stations.csv`
    almanac run imaging.py --input fault=1:LM               the same, with a station that fails in window 1
    almanac run imaging.py --input data=./uvfits            UVFITS files of your own, one a spectral window
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Annotated, Any, Literal

from almanac import Dir, File, file, map, module, run, stage, task, workflow

Quality = dict[str, Any]


@dataclass
class Calibration:
    """How stations are calibrated: kept from run to run, and changed by people."""

    flux: float = 1  # of the calibrator, Jy
    flags: dict[str, list[str]] = field(default_factory=dict)  # stations left out, by window
    disc: float = 62  # μas, where self-calibration begins
    rounds: int = 15  # of self-calibration, where there is no calibrator


@dataclass
class Imaging:
    """How channels are imaged."""

    robust: float | None = 0  # weighting; natural if None
    gain: float = 0.1
    iterations: int = 300
    threshold: float = 3  # of the noise of what is left
    box: float = 0.6  # share of the half width that may have components


calibration = run.context("calibration", schema=Calibration, initial=Calibration())
imaging = run.context("imaging", schema=Imaging, initial=Imaging())
# what runs found of each window: synthesized beam and quality
beams = run.context("beams", schema=dict[str, Quality], initial={})

# read, and imported only where the packages are
steps = module("steps.py", env="requirements.txt")
measured = {"observed": file("observed.npz"), "summary": dict}
pictures = {"png": file("image.png"), "image": file("image.npy"), "quality": dict}

# what only lives in memory is remembered too: the same call in a later run is not executed
observe = task(steps.observe, cache=True, reads=["stations.csv"], outputs=measured)
windows_of = task(steps.windows_of, cache=True)
load = task(steps.load, cache=True, outputs=measured)
solve = task(
    steps.solve, cache=True, context={"calibration": calibration}, outputs={"gains": file("gains.npz"), "summary": dict}
)
select = task(steps.select, cache=True)
dirty = task(steps.dirty, cache=True, context={"imaging": imaging})
deconvolve = task(steps.deconvolve, cache=True, context={"imaging": imaging})
finish = task(steps.finish, cache=True)
add = task(steps.add, cache=True)
assess = task(steps.assess, cache=True, outputs=pictures)
combine = task(steps.combine, cache=True, outputs=pictures)


@dataclass
class Window:
    """A window as it was measured."""

    name: str
    observed: File
    channels: int


@dataclass
class Image:
    """A window's image, and what it is worth."""

    name: str
    image: File
    quality: Quality


@dataclass
class Verdict:
    verdict: Literal["accept", "leave out", "flag"]
    station: str | None = None  # with flag: the one that is left out, from now on


def simulated(windows: int, channels: int, scans: int, fault: str | None) -> list[Window]:
    """Windows of a sky that is known."""
    faulty, _, station = (fault or ":").partition(":")
    return [
        Window(str(n), observe(n, channels, scans, station if faulty == str(n) else None).observed, channels)
        for n in range(windows)
    ]


async def loaded(data: Dir) -> list[Window]:
    """Windows of files."""
    found = [(name, load(data, name)) for name in await windows_of(data)]
    return [
        Window(name.removesuffix(".uvfits"), one.observed, (await one.summary)["channels"]) for name, one in found
    ]


def total(images: list[Any]) -> Any:
    """The images of a list of channels, added up in pairs."""
    while len(images) > 1:
        odd = images[-1:] if len(images) % 2 else []
        images = [add(a, b) for a, b in zip(images[::2], images[1::2])] + odd
    return images[0]


def image_window(window: Window, pixels: int, has_truth: bool) -> Any:
    """Calibrates a window, images its channels, and says what the image is worth."""
    gains = stage("calibrate", lambda: solve(window.observed, window.name).gains)

    def channels() -> Any:
        images = [
            finish(deconvolve(dirty(select(window.observed, gains, channel), pixels)))
            for channel in range(window.channels)
        ]
        return total(images)

    image = stage("image", channels)
    return stage("quality", lambda: assess(image, title=f"window {window.name}", has_truth=has_truth))


async def judged(window: Window, pixels: int, has_truth: bool, accept: float) -> Image | None:
    """A window's image once it is good enough, or a person says so; None: it is left out."""
    name = window.name
    for attempt in count(1):
        made = image_window(window, pixels, has_truth)
        quality = await made.quality
        run.metric(f"dynamic range, window {name}", quality["dynamic_range"], step=attempt)
        run.artifact(f"window {name}", "image", path=await made.png)
        if quality["dynamic_range"] >= accept:
            break
        answer = await run.ask(
            Verdict,
            title=f"The image of window {name} has a dynamic range of {quality['dynamic_range']}, less than {accept:g}.",
            show={"image": made.png, "quality": quality, "beams": (await beams.get()).value},
            key=f"{name} {attempt}",
        )
        if answer.verdict == "accept":
            break
        if answer.verdict == "leave out":
            return None
        flagged = (await calibration.get()).value.flags.get(name, [])
        if answer.station is not None:
            await calibration.patch({"flags": {name: [*flagged, answer.station]}})
    return Image(name, await made.image, quality)


@workflow(name="imaging")
async def main(
    data: Annotated[Dir | None, "UVFITS files, one a spectral window; a known sky is simulated if absent"] = None,
    windows: Annotated[int, "spectral windows that are simulated"] = 4,
    channels: Annotated[int, "channels of each"] = 128,
    scans: Annotated[int, "scans in a day, every second of a calibrator"] = 160,
    pixels: Annotated[int, "of a side of an image of 160 μas"] = 64,
    fault: Annotated[str | None, "WINDOW:STATION: the phase of the station jumps in that window"] = None,
    accept: Annotated[float, "dynamic range below which a person is asked"] = 30,
) -> dict[str, object]:
    has_truth = data is None

    async def every_window() -> list[Window]:
        return simulated(windows, channels, scans, fault) if data is None else await loaded(data)

    async def one_window(window: Window) -> Image | None:
        return await judged(window, pixels, has_truth, accept)

    seen = await stage("import", every_window)
    images = await map(one_window, seen, key=lambda window: window.name).all()
    good = [one for one in images if one is not None]
    if not good:
        raise ValueError("every window was left out: there is nothing to image")

    qualities = {one.name: one.quality for one in good}
    good_images = Dir.of(**{f"{one.name}.npy": one.image for one in good})
    whole = stage("combine", lambda: combine(good_images, qualities, has_truth))
    quality = await whole.quality
    await beams.patch(qualities)
    run.metric("dynamic range", quality["dynamic_range"])
    if "correlation" in quality:
        run.metric("correlation with the true sky", quality["correlation"])
    run.artifact("image", "image", path=await whole.png)
    return {"quality": quality, "png": whole.png, "image": whole.image, "windows": [one.name for one in good]}
