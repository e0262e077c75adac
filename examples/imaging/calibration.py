"""Gains of stations: what each of them does to amplitude and phase, found from what should have been measured."""

from __future__ import annotations

import numpy as np

from deconvolve import clean, offsets, transform, weigh
from sky import MICROARCSEC


def solve_gains(
    measured: np.ndarray, model: np.ndarray, weights: np.ndarray, i: np.ndarray, j: np.ndarray, count: int
) -> np.ndarray:
    """Gains g with measured ≈ g[i] model conj(g[j]), of the stations that are there (others: NaN).

    Each gain in turn by least squares upon the others (Salvini and Wijnholds 2014), every second time halfway.
    """
    gains = np.ones(count, complex)
    there = np.isin(np.arange(count), np.concatenate([i, j]))
    for step in range(60):
        before = gains.copy()
        # as seen from each end of a baseline
        toward_j, toward_i = model * np.conj(gains[j]), np.conj(model) * np.conj(gains[i])
        above = sums(i, weights * measured * np.conj(toward_j), count)
        above += sums(j, weights * np.conj(measured) * np.conj(toward_i), count)
        below = sums(i, weights * np.abs(toward_j) ** 2, count) + sums(j, weights * np.abs(toward_i) ** 2, count)
        gains = np.divide(above, below, out=np.ones(count, complex), where=np.abs(below) > 0)
        if step % 2 == 1:
            gains = (gains + before) / 2
            if np.abs(gains - before).max() < 1e-6:
                break
    return np.where(there, gains, np.nan)


def sums(index: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(index, values.real, count) + 1j * np.bincount(index, values.imag, count)


def by_scan(
    scan: np.ndarray,
    i: np.ndarray,
    j: np.ndarray,
    measured: np.ndarray,
    model: np.ndarray,
    weights: np.ndarray,
    count: int,
) -> np.ndarray:
    """Gains scan by scan, with the phase of the first station that is there as zero."""
    gains = np.full((count, int(scan.max()) + 1), np.nan, complex)
    for one in np.unique(scan):
        rows = scan == one
        found = solve_gains(measured[rows], model[rows], weights[rows], i[rows], j[rows], count)
        reference = found[np.isfinite(found)][0]
        gains[:, one] = found * np.abs(reference) / reference
    return gains


def between(gains: np.ndarray) -> np.ndarray:
    """Gains where none were found: amplitudes and phases between the neighbours, those of the nearest at the ends."""
    filled = np.ones_like(gains)
    scans = np.arange(gains.shape[1])
    for station, row in enumerate(gains):
        known = np.flatnonzero(np.isfinite(row))
        if len(known) == 0:
            continue
        amplitude = np.interp(scans, known, np.abs(row[known]))
        phase = np.interp(scans, known, np.unwrap(np.angle(row[known])))
        filled[station] = amplitude * np.exp(1j * phase)
    return filled


def self_calibrate(
    scan: np.ndarray,
    i: np.ndarray,
    j: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    measured: np.ndarray,
    weights: np.ndarray,
    *,
    count: int,
    disc: float,
    rounds: int,
) -> np.ndarray:
    """Gains where nothing else was observed: against a round disc first, then against the image that follows from them.

    Phases first; amplitudes in the last third of the rounds, when the image has become one of the source.
    """
    grid = offsets(64)
    places = np.stack(np.meshgrid(grid[::-1], grid[::-1]), -1).reshape(-1, 2)
    flux = np.quantile(np.abs(measured), 0.99)
    inside = np.hypot(*places.T) <= disc / 2
    components = np.where(inside, flux / inside.sum(), 0.0)
    gains = np.ones((count, int(scan.max()) + 1), complex)
    for turn in range(rounds):
        lit = components != 0
        waves = np.exp(-2j * np.pi * MICROARCSEC * (np.outer(u, places[lit, 0]) + np.outer(v, places[lit, 1])))
        found = by_scan(scan, i, j, measured, waves @ components[lit], weights, count)
        phases = np.exp(1j * np.angle(found))
        level = np.clip(np.abs(found), 0.5, 2.0) if turn >= rounds * 2 // 3 else 1.0
        gains = np.where(np.isfinite(found), phases * level, 1.0)
        corrected = measured / (gains[i, scan] * np.conj(gains[j, scan]))
        share = weigh(u, v, weights, 0.0)
        dirty, beam = transform(u, v, share * corrected, grid), transform(u, v, share + 0j, offsets(128, 320.0))
        made, _ = clean(dirty, beam, gain=0.1, iterations=400, threshold=2.0, box=disc / grid[-1] / 2)
        components = np.maximum(made, 0).ravel()
        if components.sum() == 0:
            raise ValueError("no image came of the data: the disc that it begins with may be far too large or small")
        components *= flux / components.sum() if turn < rounds // 3 else 1.0
    return gains
