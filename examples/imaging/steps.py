"""The steps of an imaging pipeline: plain functions that take paths, values and arrays, and import nothing of a workflow
engine. A spectral window is measured, its stations are calibrated, each of its channels is imaged, and the images are
added up in pairs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import sky
from calibration import between, by_scan, self_calibrate
from deconvolve import FIELD, beam_sigma, clean, offsets, restore, transform, weigh

Arrays = dict[str, Any]


def observe(window: int, channels: int, scans: int, fault: str | None, *, observed: Path) -> dict[str, Any]:
    """Measures a spectral window of a known sky, with the noise of real telescopes and gains that drift.

    Every second scan is of a calibrator, a point of 1 Jy. `fault` names a station whose phase jumps from scan to scan
    while the source is observed, so that no calibrator tells of it.
    """
    array = sky.stations()
    random = np.random.default_rng(1000 + window)
    scan, i, j, east, north = sky.tracks(array, scans)
    is_calibrator = scan % 2 == 1
    frequencies = sky.REFERENCE + 2e9 * window + (np.arange(channels) + 0.5) / channels * sky.BAND
    gains = sky.errors(random, len(array.names), scans)
    if fault is not None:
        jumps = random.uniform(-np.pi, np.pi, scans) * (np.arange(scans) % 2 == 0)
        gains[array.names.index(fault)] *= np.exp(1j * jumps)
    corrupt = gains[i, scan] * np.conj(gains[j, scan])
    sefd = np.sqrt(array.sefds[i] * array.sefds[j])
    sigma = sefd / 0.88 / np.sqrt(2 * sky.BAND / channels * sky.DWELL)
    source, measured = sky.truth(), np.empty((channels, len(scan)), np.complex64)
    for channel, frequency in enumerate(frequencies):
        wavelength = sky.LIGHT / frequency
        bright = sky.visibilities(source, east / wavelength, north / wavelength) * (sky.REFERENCE / frequency)
        ideal = np.where(is_calibrator, 1.0, bright)
        measured[channel] = corrupt * ideal + sky.noise(random, sigma)
    return write(observed, scan, i, j, east, north, frequencies, measured, 1 / sigma**2, is_calibrator, array.names)


def load(data: Path, name: str, *, observed: Path) -> dict[str, Any]:
    """Reads a UVFITS file of one spectral window: Stokes I where both hands are there, without flagged rows."""
    from astropy.io import fits

    with fits.open(data / name) as hdus:
        groups, header = hdus[0].data, hdus[0].header
        names = [str(one).strip() for one in hdus["AIPS AN"].data["ANNAME"]]
        baseline = groups["BASELINE"].astype(int)
        # from the second station to the first, and with the other sign in the exponent
        east, north = -groups["UU---SIN"] * sky.LIGHT, -groups["VV---SIN"] * sky.LIGHT
        # two parameters are called DATE, and their sum is meant
        time = (groups.par("DATE") - int(groups.par("DATE").min())) * 86400.0
        hands = groups["DATA"].reshape(len(groups), -1, 3)[:, :2].astype(float)
    weight = np.where((hands[..., 2] > 0) & np.isfinite(hands[..., 2]), hands[..., 2], 0.0)
    values = (weight * (hands[..., 0] + 1j * hands[..., 1])).sum(1) / np.maximum(weight.sum(1), 1e-30)
    kept = (weight > 0).all(1)
    scan = np.round(time / 60).astype(int)
    i, j = baseline // 256 - 1, baseline % 256 - 1
    frequencies = np.array([header["CRVAL4"]])
    arrays = [part[kept] for part in (scan - scan.min(), i, j, east, north)]
    nothing = np.zeros(int(kept.sum()), bool)
    return write(observed, *arrays, frequencies, values[kept][None], weight.sum(1)[kept], nothing, names)


def write(path: Path, scan, i, j, east, north, frequencies, measured, weights, is_calibrator, names) -> dict[str, Any]:
    parts = {"scan": scan, "i": i, "j": j, "east": east, "north": north, "weights": weights}
    parts |= {"frequencies": frequencies, "measured": measured, "is_calibrator": is_calibrator}
    save(path, names=np.array(names), **parts)
    return {"visibilities": int(measured.size), "stations": list(names), "channels": len(frequencies)}


def save(path: Path, **arrays: np.ndarray) -> None:
    """As `numpy.savez`, which would add an ending to the name."""
    with path.open("wb") as file:
        np.savez(file, **arrays)


def solve(observed: Path, window: str, calibration: dict[str, Any], *, gains: Path) -> dict[str, Any]:
    """Gains of a window's stations, from its calibrator; or from the source itself, where there is none.

    Stations that the calibration has flagged in this window are left out.
    """
    with np.load(observed) as data:
        names = data["names"].tolist()
        flagged = [names.index(one) for one in calibration["flags"].get(window, []) if one in names]
        rows = ~(np.isin(data["i"], flagged) | np.isin(data["j"], flagged))
        scan, i, j = data["scan"][rows], data["i"][rows], data["j"][rows]
        measured, weights = data["measured"].mean(0)[rows], data["weights"][rows] * len(data["frequencies"])
        is_calibrator = data["is_calibrator"][rows]
        wavelength = sky.LIGHT / data["frequencies"].mean()
        u, v = data["east"][rows] / wavelength, data["north"][rows] / wavelength
    count = len(names)
    if is_calibrator.any():
        pick = is_calibrator
        model = np.full(pick.sum(), calibration["flux"], complex)
        found = by_scan(scan[pick], i[pick], j[pick], measured[pick], model, weights[pick], count)
        scans = int(scan.max()) + 1
        wide = np.full((count, scans), np.nan, complex)
        wide[:, : found.shape[1]] = found
        solved = between(wide)
    else:
        solved = self_calibrate(
            scan, i, j, u, v, measured, weights, count=count, disc=calibration["disc"], rounds=calibration["rounds"]
        )
    save(gains, gains=solved, flagged=np.array(flagged, int))
    return {"stations": count - len(flagged), "spread": round(float(np.abs(solved).std()), 4)}


def select(observed: Path, gains: Path, channel: int) -> Arrays:
    """One channel, calibrated: `u` and `v` in wavelengths, visibilities and weights."""
    with np.load(observed) as data, np.load(gains) as solved:
        i, j = data["i"], data["j"]
        rows = ~(np.isin(i, solved["flagged"]) | np.isin(j, solved["flagged"]) | data["is_calibrator"])
        wavelength = sky.LIGHT / data["frequencies"][channel]
        scan, i, j = data["scan"][rows], i[rows], j[rows]
        factor = solved["gains"][i, scan] * np.conj(solved["gains"][j, scan])
        return {
            "u": data["east"][rows] / wavelength,
            "v": data["north"][rows] / wavelength,
            "values": data["measured"][channel][rows] / factor,
            # what a weak gain amplifies is noise
            "weights": data["weights"][rows] * np.abs(factor) ** 2,
        }


def dirty(channel: Arrays, pixels: int, imaging: dict[str, Any]) -> Arrays:
    """The dirty image of a channel and its beam, twice as wide."""
    u, v = channel["u"], channel["v"]
    share = weigh(u, v, channel["weights"], imaging["robust"])
    return {
        "image": transform(u, v, share * channel["values"], offsets(pixels)),
        "beam": transform(u, v, share + 0j, offsets(2 * pixels, 2 * FIELD)),
        "sigma": beam_sigma(u, v, share),
    }


def deconvolve(dirty: Arrays, imaging: dict[str, Any]) -> Arrays:
    """CLEAN components of a channel, and what is left."""
    options = {key: imaging[key] for key in ("gain", "iterations", "threshold", "box")}
    components, left = clean(dirty["image"], dirty["beam"], **options)
    return {"components": components, "left": left, "sigma": dirty["sigma"]}


def finish(cleaned: Arrays) -> Arrays:
    """The image of a channel, with the weight that it has among others."""
    image = restore(cleaned["components"], cleaned["sigma"]) + cleaned["left"]
    weight = 1 / max(edge_noise(cleaned["left"]), 1e-9) ** 2
    return {"image": image * weight, "weight": weight, "sigma": cleaned["sigma"] * weight, "channels": 1}


def add(a: Arrays, b: Arrays) -> Arrays:
    """Two images as one."""
    return {key: a[key] + b[key] for key in a}


def assess(total: Arrays, title: str, has_truth: bool, *, png: Path, image: Path) -> dict[str, Any]:
    """A window's image, and what it is worth."""
    picture, sigma = total["image"] / total["weight"], float(total["sigma"] / total["weight"])
    return judge(picture, sigma, int(total["channels"]), title, has_truth, png, image)


def combine(images: Path, windows: dict[str, Any], has_truth: bool, *, png: Path, image: Path) -> dict[str, Any]:
    """The images of windows as one, each by what it is worth."""
    pictures = {name: np.load(images / f"{name}.npy") for name in windows}
    weights = {name: 1 / max(edge_noise(picture), 1e-9) ** 2 for name, picture in pictures.items()}
    whole = sum(weights.values())
    picture = sum(weights[name] * pictures[name].astype(float) for name in windows) / whole
    sigma = sum(weights[name] * windows[name]["beam"] for name in windows) / whole / 2.3548
    channels = sum(windows[name]["channels"] for name in windows)
    return judge(picture, sigma, channels, f"{len(windows)} windows", has_truth, png, image)


def judge(
    picture: np.ndarray, sigma: float, channels: int, title: str, has_truth: bool, png: Path, image: Path
) -> dict[str, Any]:
    """The dynamic range of an image, and how like the true sky it is where that is known."""
    grid = offsets(len(picture))
    quality = {
        "channels": channels,
        "beam": round(2.3548 * sigma, 2),
        "peak": round(float(picture.max()), 5),
        "dynamic_range": round(float(picture.max() / edge_noise(picture)), 1),
    }
    true = None
    if has_truth:
        true = sky.brightness(sky.truth(), grid, sigma) * 2 * np.pi * sigma**2
        quality["correlation"] = round(float(np.corrcoef(picture.ravel(), true.ravel())[0, 1]), 4)
    draw(png, picture, true, sigma, f"{title}: dynamic range {quality['dynamic_range']}")
    with image.open("wb") as file:
        np.save(file, picture.astype(np.float32))
    return quality


def edge_noise(picture: np.ndarray) -> float:
    """What the image varies by where nothing should be."""
    pixels = len(picture)
    y, x = np.indices(picture.shape) - pixels // 2
    return float(picture[np.hypot(x, y) > 0.75 * pixels / 2].std())


def draw(path: Path, picture: np.ndarray, true: np.ndarray | None, sigma: float, title: str) -> None:
    from matplotlib.figure import Figure

    panels = [("image", picture)] + ([] if true is None else [("the true sky, at this beam", true)])
    figure = Figure(figsize=(5 * len(panels), 4.6), layout="constrained")
    half = FIELD / 2
    top = max(values.max() for _, values in panels)
    for axes, (name, values) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        shown = axes.imshow(values, extent=(half, -half, -half, half), cmap="afmhot", vmin=0, vmax=top)
        axes.add_patch(_ellipse(-half * 0.8, -half * 0.8, 2.3548 * sigma))
        axes.set(title=name, xlabel="east, μas", ylabel="north, μas")
    figure.colorbar(shown, ax=figure.axes, label="Jy a beam", shrink=0.8)
    figure.suptitle(title, fontsize="medium", wrap=True)
    figure.savefig(path, format="png", dpi=80, metadata={"Software": None})


def _ellipse(x: float, y: float, width: float):
    from matplotlib.patches import Ellipse

    return Ellipse((x, y), width, width, fill=False, color="white")


def windows_of(data: Path) -> list[str]:
    """The UVFITS files in a directory."""
    names = sorted(path.name for path in data.glob("*.uvfits"))
    if not names:
        raise ValueError(f"there are no *.uvfits files in {data}")
    return names
