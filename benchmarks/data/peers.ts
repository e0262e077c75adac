import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ensurePythonEnv } from '../../src/executors/python/environment.ts'
import { type Cost, costOf } from '../process-cost.ts'
import { type Corpus, makeCorpus, pathOf } from './corpus.ts'

/** Another tool in a project of its own over a corpus of its own: `out/X` is the digest of `in/X`. */
export interface Peer {
  readonly name: string
  readonly corpus: Corpus
  /** Brings `out` up to date. */
  again(): Cost
  /** files of `out` that were written since `at`, ms */
  written(at: number): number
}

type Kind = 'make' | 'dvc' | 'snakemake'

/** GNU make where it is there; DVC and Snakemake in an environment of their own, made now if it is not there. */
export async function preparePeers(folder: string, shape: Omit<Corpus, 'root'>): Promise<Peer[]> {
  const { python } = await ensurePythonEnv(
    { requirements: join(import.meta.dirname, 'requirements.txt') },
    { onProgress: (line) => process.stderr.write(`${line}\n`) },
  )
  const bin = dirname(python)
  const peers = [dvc(bin, python, folder, shape), snakemake(bin, folder, shape)]
  const version = spawnSync('make', ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0]
  return version === undefined ? peers : [make(version, folder, shape), ...peers]
}

function make(version: string, folder: string, shape: Omit<Corpus, 'root'>): Peer {
  const makefile = `FILES := $(shell find in -type f)
all: $(FILES:in/%=out/%)
out/%: in/%
	@sha256sum < $< > $@
`
  const peer = projectOf(`${version} -j2`, folder, 'make', shape, ['make', '-s', '-j2'], {
    Makefile: makefile,
  })
  peer.again()
  return peer
}

function dvc(bin: string, python: string, folder: string, shape: Omit<Corpus, 'root'>): Peer {
  const stage = `stages:
  digests:
    cmd: ${python} hash_all.py
    deps: [in, hash_all.py]
    outs: [out]
`
  const program = join(bin, 'dvc')
  const files = {
    'dvc.yaml': stage,
    'hash_all.py': readFileSync(join(import.meta.dirname, 'hash_all.py'), 'utf8'),
  }
  const peer = projectOf(`DVC ${versionOf(program)}`, folder, 'dvc', shape, [program, 'repro', '-q'], files)
  const project = dirname(peer.corpus.root)
  costOf([program, 'init', '-q', '--no-scm'], project)
  costOf([program, 'config', 'core.analytics', 'false'], project)
  peer.again()
  return peer
}

function snakemake(bin: string, folder: string, shape: Omit<Corpus, 'root'>): Peer {
  const snakefile = `import os
FILES = sorted(os.path.relpath(os.path.join(d, f), 'in') for d, _, names in os.walk('in') for f in names)
rule all:
    input: expand('out/{f}', f=FILES)
rule digest:
    input: 'in/{f}'
    output: 'out/{f}'
    shell: 'sha256sum < {input} > {output}'
`
  const program = join(bin, 'snakemake')
  const command = [program, '-c2', '--quiet', 'all'] as const
  const name = `Snakemake ${versionOf(program)} -c2`
  const peer = projectOf(name, folder, 'snakemake', shape, command, { Snakefile: snakefile })
  const project = dirname(peer.corpus.root)
  // a job a file takes it too long: what is there already is adopted
  for (let i = 0; i < shape.files; i++) writeFileSync(join(project, 'out', pathOf(peer.corpus, i)), '')
  costOf([program, '-c2', '--quiet', 'all', '--touch'], project)
  return peer
}

function projectOf(
  name: string,
  folder: string,
  kind: Kind,
  shape: Omit<Corpus, 'root'>,
  command: readonly [string, ...string[]],
  files: Readonly<Record<string, string>>,
): Peer {
  const project = join(folder, kind)
  const corpus = makeCorpus({ ...shape, root: join(project, 'in') })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(project, file), text)
  const out = join(project, 'out')
  cpSync(corpus.root, out, { recursive: true, filter: (path) => !path.endsWith('.nc') })
  mkdirSync(out, { recursive: true })
  return {
    name,
    corpus,
    again: () => costOf(command, project),
    written: (at) => filesSince(out, at),
  }
}

const versionOf = (program: string): string =>
  spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim()

function filesSince(directory: string, at: number): number {
  let count = 0
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) count += filesSince(path, at)
    else if (statSync(path).mtimeMs >= at) count++
  }
  return count
}
