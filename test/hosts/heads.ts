import type { Program } from './rig.ts'

const heads: Program = {
  ts: `import { AlmanacError, all, json, map, python, run, settled, task, type TaskContext, workflow, z } from 'almanac'
export const double = task('double', (n: number) => 2 * n)
export const total = task('total', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
export const fails = task('fails', (n: number): number => { throw new RangeError('no ' + n) })
`,
  py: `import asyncio, os
from dataclasses import dataclass
from typing import Literal, TypedDict
from almanac import *
import almanac
@task
def double(n): return 2 * n
@task
def total(numbers): return sum(numbers)
@task
def fails(n): raise ValueError(f"no {n}")
`,
}

/** A program of the contract of workflow hosts, in both languages side by side. */
export const program = (ts: string, py: string): Program => ({ ts: heads.ts + ts, py: heads.py + py })
