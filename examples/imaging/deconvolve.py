"""From visibilities to images: the dirty image and beam by a direct transform, and CLEAN (Högbom 1974)."""

from __future__ import annotations

import numpy as np

from sky import MICROARCSEC

FIELD = 160.0  # μas


def offsets(pixels: int, field: float = FIELD) -> np.ndarray:
    """Centres of pixels, in μas; the middle of the field is pixel `pixels // 2`."""
    return (np.arange(pixels) - pixels // 2) * field / pixels


def weigh(u: np.ndarray, v: np.ndarray, weights: np.ndarray, robust: float | None) -> np.ndarray:
    """Briggs' weights over cells of the size of the field: natural where `robust` is None, more even the lower it is."""
    if robust is None:
        return weights / weights.sum()
    cell = np.stack([u, v]) * FIELD * MICROARCSEC
    keys = np.unique(np.round(cell).astype(int), axis=1, return_inverse=True)[1].ravel()
    density = np.bincount(keys, weights)[keys]
    even = (5 * 10**-robust) ** 2 / ((density * weights).sum() / weights.sum())
    robustly = weights / (1 + density * even)
    return robustly / robustly.sum()


def transform(u: np.ndarray, v: np.ndarray, values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The direct transform of `values` to a square of offsets: rows to the north, columns to the west."""
    north = np.exp(2j * np.pi * MICROARCSEC * np.outer(grid[::-1], v))
    east = np.exp(2j * np.pi * MICROARCSEC * np.outer(u, grid[::-1]))
    return ((north * values) @ east).real


def beam_sigma(u: np.ndarray, v: np.ndarray, weights: np.ndarray) -> float:
    """Sigma, in μas, of the round beam whose area is that of the Gaussian at the middle of the dirty beam."""
    moments = (2 * np.pi * MICROARCSEC) ** 2 * np.array(
        [(weights * u * u).sum(), (weights * v * v).sum(), (weights * u * v).sum()]
    )
    return float((moments[0] * moments[1] - moments[2] ** 2) ** -0.25)


def clean(
    dirty: np.ndarray, beam: np.ndarray, *, gain: float, iterations: int, threshold: float, box: float
) -> tuple[np.ndarray, np.ndarray]:
    """Takes the beam away at the brightest place within a circle, again and again: components and what is left.

    `beam` reaches twice as far as the image; `box` is the share of the image's half width that may have components;
    it ends at `threshold` times the noise of what is left.
    """
    pixels = len(dirty)
    middle = np.unravel_index(np.argmax(beam), beam.shape)
    y, x = np.indices(dirty.shape) - pixels // 2
    inside = np.hypot(x, y) <= box * pixels / 2
    left, components = dirty.copy(), np.zeros_like(dirty)
    for _ in range(iterations):
        at = np.unravel_index(np.argmax(np.where(inside, np.abs(left), 0)), left.shape)
        if abs(left[at]) < threshold * left[~inside].std():
            break
        flux = gain * left[at]
        components[at] += flux
        rows = slice(middle[0] - at[0], middle[0] - at[0] + pixels)
        columns = slice(middle[1] - at[1], middle[1] - at[1] + pixels)
        left -= flux * beam[rows, columns]
    return components, left


def restore(components: np.ndarray, sigma: float, field: float = FIELD) -> np.ndarray:
    """Components as a round beam of this sigma (μas) sees them, in Jy a beam."""
    pixels = len(components)
    step = field / pixels
    frequency = np.fft.fftfreq(pixels, step)
    taper = np.exp(-2 * (np.pi * sigma) ** 2 * (frequency[:, None] ** 2 + frequency[None, :] ** 2))
    smooth = np.fft.ifft2(np.fft.fft2(components) * taper).real
    return smooth * 2 * np.pi * sigma**2 / step**2
