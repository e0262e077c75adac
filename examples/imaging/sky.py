"""A sky that is known, and what the telescopes of `stations.csv` would measure of it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

LIGHT = 299_792_458.0
MICROARCSEC = np.pi / 180 / 3600 / 1e6
RIGHT_ASCENSION, DECLINATION = 187.7059307575226, 12.39112323919932  # M87, degrees
HORIZON = 12.0  # degrees: what is lower is not observed
BAND = 2e9  # Hz of a spectral window
REFERENCE = 227e9
DWELL = 120.0  # s that a scan integrates


class Stations(NamedTuple):
    names: list[str]
    positions: np.ndarray
    sefds: np.ndarray


class Blobs(NamedTuple):
    """Gaussians: places and widths in microarcseconds, fluxes in Jy at the reference frequency."""

    x: np.ndarray
    y: np.ndarray
    sigma: np.ndarray
    flux: np.ndarray


def stations(path: Path = Path(__file__).with_name("stations.csv")) -> Stations:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    positions = np.array([[float(row[axis]) for axis in "xyz"] for row in rows])
    return Stations([row["name"] for row in rows], positions, np.array([float(row["sefd"]) for row in rows]))


def truth() -> Blobs:
    """A ring that is brighter in the south, as M87's shadow is, and a faint knot beside it."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    bright = 1 + 0.6 * np.cos(angle - np.deg2rad(200))
    ring = 0.55 * bright / bright.sum()
    x, y = 21 * np.sin(angle), 21 * np.cos(angle)
    return Blobs(
        np.append(x, 38.0),
        np.append(y, 22.0),
        np.append(np.full(48, 4.0), 6.0),
        np.append(ring, 0.05),
    )


def visibilities(sky: Blobs, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Fourier transform of the Gaussians at `u`, `v` in wavelengths."""
    u, v = u * MICROARCSEC, v * MICROARCSEC
    total = np.zeros(u.shape, complex)
    for x, y, sigma, flux in zip(*sky, strict=True):
        total += flux * np.exp(-2 * (np.pi * sigma) ** 2 * (u**2 + v**2) - 2j * np.pi * (u * x + v * y))
    return total


def brightness(sky: Blobs, offsets: np.ndarray, beam: float = 0.0) -> np.ndarray:
    """The sky on a grid of `offsets` (north up, east left), seen by a round beam of this sigma, in Jy per square μas."""
    east, north = offsets[::-1][None, :], offsets[::-1][:, None]
    image = np.zeros((len(offsets), len(offsets)))
    for x, y, sigma, flux in zip(*sky, strict=True):
        width = sigma**2 + beam**2
        image += flux / (2 * np.pi * width) * np.exp(-((east - x) ** 2 + (north - y) ** 2) / 2 / width)
    return image


def directions(hour_angle: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors to the east, to the north and to the source, by the hour angle at Greenwich, in radians."""
    declination = np.deg2rad(DECLINATION)
    sin, cos, zero = np.sin(hour_angle), np.cos(hour_angle), np.zeros_like(hour_angle)
    east = np.stack([sin, cos, zero], -1)
    north = np.stack([-np.sin(declination) * cos, np.sin(declination) * sin, zero + np.cos(declination)], -1)
    source = np.stack([np.cos(declination) * cos, -np.cos(declination) * sin, zero + np.sin(declination)], -1)
    return east, north, source


def tracks(array: Stations, scans: int) -> tuple[np.ndarray, ...]:
    """Which pair of stations sees the source when: times in s, pairs, and baselines in metres."""
    time = np.linspace(0, 86164.09, scans, endpoint=False)
    east, north, source = directions(2 * np.pi * time / 86164.09)
    up = array.positions / np.linalg.norm(array.positions, axis=1)[:, None]
    seen = source @ up.T > np.sin(np.deg2rad(HORIZON))
    first, second = np.triu_indices(len(array.names), 1)
    scan, pair = np.nonzero(seen[:, first] & seen[:, second])
    i, j = first[pair], second[pair]
    baseline = array.positions[j] - array.positions[i]
    u, v = (baseline * east[scan]).sum(1), (baseline * north[scan]).sum(1)
    return scan, i, j, u, v


def errors(random: np.random.Generator, count: int, scans: int) -> np.ndarray:
    """Gains of stations that drift: their amplitudes by some per cent, their phases by radians in an hour or two."""
    amplitude = 1 + 0.1 * random.normal(size=(count, 1)) + 0.02 * walk(random, count, scans)
    phase = random.uniform(-np.pi, np.pi, (count, 1)) + 0.15 * walk(random, count, scans)
    return amplitude * np.exp(1j * phase)


def walk(random: np.random.Generator, count: int, scans: int) -> np.ndarray:
    return np.cumsum(random.normal(size=(count, scans)), axis=1)


def noise(random: np.random.Generator, sigma: np.ndarray) -> np.ndarray:
    return sigma * (random.normal(size=sigma.shape) + 1j * random.normal(size=sigma.shape))
