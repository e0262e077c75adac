import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { flag, oneOf, whole } from '../scripts/options/option.ts'
import { scriptOptions } from '../scripts/options/script-options.ts'
import { removeTree } from '../src/data/files/remove-tree.ts'
import { type Corpus, changeTen, makeCorpus, makeLarge } from './data/corpus.ts'
import { type Peer, preparePeers } from './data/peers.ts'
import { BenchProject, type Ran } from './data/project.ts'
import { machine } from './machine.ts'
import { type Cost, costOf, median } from './process-cost.ts'

/**
 * Directories as values: scans, incremental maps, versions, the store, beside the tools that can do the same work.
 *
 *     npm run bench:data                       small sizes, only printed
 *     npm run bench:data -- --full             the sizes of the goals, written to benchmarks/results-data.md
 *     npm run bench:data -- --only map --files 20000 --peers 1000 --million 50000 --large 10 --times 5
 */

const parts: Readonly<Record<string, () => Promise<void>>> = { map, beside, million, large, checkout }
const options = scriptOptions({
  command: 'npm run bench:data --',
  does: 'Directories as values, beside the tools that can do the same work; small sizes unless said.',
  options: {
    full: flag('the sizes of the goals, written to benchmarks/results-data.md'),
    only: oneOf(Object.keys(parts), 'one part, only printed'),
    times: whole('each is measured so often', 3),
    files: whole('files of the parts map and checkout'),
    peers: whole('files of the part beside'),
    million: whole('files of the part million'),
    large: whole('megabytes of each of the 20 files of the part large'),
  },
})
const { times } = options
const sized = (given: number | undefined, full: number, small: number): number =>
  given ?? (options.full ? full : small)
const sizes = {
  files: sized(options.files, 100_000, 5000),
  peers: sized(options.peers, 10_000, 1000),
  million: sized(options.million, 1_000_000, 20_000),
  /** megabytes of each of 20 files */
  large: sized(options.large, 100, 5),
}
const folder = mkdtempSync(join(tmpdir(), 'almanac-bench-data-'))
const lines: string[] = []
/** Longer than it takes until a file's times are trusted. */
const settleMs = 2500

const loadBefore = load()
try {
  for (const [name, part] of Object.entries(parts)) {
    if (options.only !== undefined && options.only !== name) continue
    await part()
  }
} finally {
  removeTree(folder)
}
const text = [...heading(), ...lines, ''].join('\n')
console.log(text)
if (options.full && options.only === undefined) {
  writeFileSync(join(import.meta.dirname, 'results-data.md'), text)
}

function heading(): string[] {
  return [
    '# Figures of `npm run bench:data`',
    '',
    `${machine()}. Whole processes unless it says otherwise, ${times} times in turn; the median, and in parentheses all. ` +
      `Files are in the page cache. Load of the machine over a minute ${loadBefore} before, ${load()} after: ` +
      'with a load over the number of processors, compare the ratios and the CPU seconds.',
  ]
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1)
}

/** 100 000 files: first scan, unchanged, ten changed. */
async function map(): Promise<void> {
  const corpus = makeCorpus({
    root: join(folder, 'files'),
    files: sizes.files,
    directories: 100,
    bytes: 4096,
  })
  const project = new BenchProject(join(folder, 'project'))
  await setTimeout(settleMs)
  const scan = { scan: [] as Cost[], find: [] as Cost[], empty: [] as Cost[] }
  for (let round = 0; round < times; round++) {
    const fresh = new BenchProject(join(folder, `fresh-${round}`))
    fresh.run('empty')
    scan.empty.push(fresh.run('empty').cost)
    scan.find.push(
      costOf(['sh', '-c', 'find . -type f -print0 | xargs -0 -P2 sha256sum > /dev/null'], corpus.root),
    )
    scan.scan.push(fresh.run('scan', corpus.root).cost)
    fresh.remove()
  }
  table(`${sizes.files} files of 4 KiB in 100 directories, first scan with digests`, {
    '`find … -print0 \\| xargs -0 -P2 sha256sum`': scan.find,
    'a run that only scans': scan.scan,
    'a run that calls nothing': scan.empty,
  })
  const seconds = (costs: readonly Cost[]): number => median(costs.map((cost) => cost.seconds))
  goal(
    'first scan without start-up ÷ find',
    (seconds(scan.scan) - seconds(scan.empty)) / seconds(scan.find),
    1.0,
  )

  const first = [project.run('heads', corpus.root)]
  const shownFirst = [project.run('shown', corpus.root)]
  const same = rounds(() => project.run('heads', corpus.root))
  const sameShown = rounds(() => project.run('shown', corpus.root))
  const changed: Ran[] = []
  const changedShown: Ran[] = []
  for (let round = 1; round <= times; round++) {
    changeTen(corpus, 2 * round)
    changed.push(project.run('heads', corpus.root))
    changeTen(corpus, 2 * round + 1)
    changedShown.push(project.run('shown', corpus.root))
  }
  table(`A map of a trivial Python function over ${sizes.files} files`, {
    'first run (once)': costs(first),
    'nothing changed': costs(same),
    '10 files changed': costs(changed),
    'first time as plain files too (once)': costs(shownFirst),
    'nothing changed, plain files too': costs(sameShown),
    '10 files changed, plain files too': costs(changedShown),
  })
  counted('nothing changed', same, 0)
  counted('10 changed', [...changed, ...changedShown], 10)
  goal('unchanged, s', median(costs(same).map((cost) => cost.seconds)), 0.6)
  goal('10 changed, s', median(costs(changed).map((cost) => cost.seconds)), 1.2)
  project.remove()
  removeTree(corpus.root)
}

/** 10 000 files: beside GNU make, DVC and Snakemake. */
async function beside(): Promise<void> {
  const shape = { files: sizes.peers, directories: 100, bytes: 4096 }
  const corpus = makeCorpus({ ...shape, root: join(folder, 'ours') })
  const project = new BenchProject(join(folder, 'beside'))
  const peers = await preparePeers(folder, shape)
  await setTimeout(settleMs)
  project.run('heads', corpus.root)
  const lists = <T>(): Record<string, T[]> =>
    Object.fromEntries(['Almanac', ...peers.map(({ name }) => name)].map((name) => [name, []]))
  const same = lists<Cost>()
  const changed = lists<Cost>()
  const done = lists<number>()
  for (let round = 0; round < times; round++) {
    same['Almanac']?.push(project.run('heads', corpus.root).cost)
    for (const peer of peers) same[peer.name]?.push(peer.again())
  }
  for (let round = 1; round <= times; round++) {
    changeTen(corpus, round)
    const ran = project.run('heads', corpus.root)
    changed['Almanac']?.push(ran.cost)
    done['Almanac']?.push(ran.executed)
    for (const peer of peers) {
      const [cost, written] = changedBy(peer, round)
      changed[peer.name]?.push(cost)
      done[peer.name]?.push(written)
    }
  }
  table(`${sizes.peers} files of 4 KiB, nothing changed`, same)
  table(`${sizes.peers} files of 4 KiB, 10 changed`, changed)
  lines.push(
    '',
    `Processed: ${Object.entries(done)
      .map(([name, all]) => `${name} ${all.join(', ')}`)
      .join('; ')}.`,
  )
  for (const { name } of peers) {
    const seconds = (of: string): number => median((same[of] ?? []).map((cost) => cost.seconds))
    if (!name.startsWith('Snake'))
      goal(`unchanged, Almanac ÷ ${name}`, seconds('Almanac') / seconds(name), 0.25)
  }
}

function changedBy(peer: Peer, round: number): [Cost, number] {
  const at = Date.now()
  changeTen(peer.corpus, round)
  return [peer.again(), peer.written(at)]
}

/** A million files, nested and flat: ten changed, the peak of memory, and what a version adds to the store. */
async function million(): Promise<void> {
  for (const [shape, directories] of [
    ['nested', 1000],
    ['flat', 1],
  ] as const) {
    const corpus = makeCorpus({ root: join(folder, shape), files: sizes.million, directories, bytes: 64 })
    const project = new BenchProject(join(folder, `${shape}-project`))
    await setTimeout(settleMs)
    const first = [project.run('scan', corpus.root)]
    const same = rounds(() => project.run('scan', corpus.root))
    const changed: Ran[] = []
    const added: number[] = []
    for (let round = 1; round <= times; round++) {
      const before = project.stored()
      changeTen(corpus, round)
      changed.push(project.run('scan', corpus.root))
      added.push(project.stored().bytes - before.bytes)
    }
    changeTen(corpus, times + 1)
    const peak = await project.peak('scan', corpus.root)
    table(
      `${sizes.million} files of 64 bytes, ${directories === 1 ? 'flat' : `in ${directories} directories`}`,
      {
        'first scan (once)': costs(first),
        'nothing changed': costs(same),
        '10 changed': costs(changed),
      },
    )
    goal('10 changed, s', median(costs(changed).map((cost) => cost.seconds)), 5)
    goal('peak of memory with 10 changed, MB', peak, 1000)
    goal('a version with 10 changed adds, MB', Math.max(...added) / 1e6, 1)
    removeTree(corpus.root)
    project.remove()
  }
}

/** 20 large files taken into the store: moved, and copied. */
async function large(): Promise<void> {
  const root = join(folder, 'large')
  makeLarge(root, 20, sizes.large)
  const all: Record<'openssl' | 'move' | 'cp' | 'synced' | 'copy', Cost[]> = {
    openssl: [],
    move: [],
    cp: [],
    synced: [],
    copy: [],
  }
  const hash = ['sh', '-c', 'ls | xargs -P2 -n1 openssl dgst -sha256 > /dev/null'] as const
  for (let round = 0; round < times; round++) {
    const left = join(folder, `left-${round}`)
    const [moving, copying] = ['moving', 'copying'].map(
      (name) => new BenchProject(join(folder, `${name}-${round}`)),
    )
    for (const project of [moving, copying]) project?.run('empty')
    // what was just written is not on disk yet, and would be written meanwhile
    costOf(['sync'], folder)
    all.cp.push(costOf(['cp', '-r', root, left], folder))
    removeTree(left)
    const synced = `cp -r '${root}' '${left}' && find '${left}' -type f -exec sync {} +`
    all.synced.push(costOf(['sh', '-c', synced], folder))
    all.openssl.push(costOf(hash, left))
    if (copying !== undefined) all.copy.push(copying.add(left, '--managed'))
    costOf(['sync'], folder)
    if (moving !== undefined) all.move.push(moving.add(left, '--move'))
    for (const project of [moving, copying]) project?.remove()
    removeTree(left)
  }
  table(`20 files of ${sizes.large} MB, managed`, {
    '`openssl dgst -sha256`, both cores': all.openssl,
    '`almanac data add --move`': all.move,
    '`cp -r`, not on disk when it ends': all.cp,
    '`cp -r` and `sync` of the files': all.synced,
    '`almanac data add --managed`: a copy, on disk when it ends': all.copy,
  })
  const seconds = (costs: readonly Cost[]): number => median(costs.map((cost) => cost.seconds))
  goal('moved ÷ openssl', seconds(all.move) / seconds(all.openssl), 1.25)
  goal('copied ÷ cp and sync', seconds(all.copy) / seconds(all.synced), 1.25)
  goal('copied ÷ cp alone', seconds(all.copy) / seconds(all.cp), 1.25)
  removeTree(root)
}

/** 100 000 files out of the store by links. */
async function checkout(): Promise<void> {
  const shape: Corpus = { root: join(folder, 'small'), files: sizes.files, directories: 100, bytes: 4096 }
  makeCorpus(shape)
  const home = join(folder, 'checkout')
  costOf(['cp', '-r', shape.root, join(folder, 'collected')], folder)
  const digest = plane('collect', home, join(folder, 'collected')).digest ?? ''
  const all: Record<'cp' | 'open', Cost[]> = { cp: [], open: [] }
  for (let round = 0; round < times; round++) {
    const copy = join(folder, `linked-${round}`)
    all.cp.push(costOf(['cp', '-al', shape.root, copy], folder))
    all.open.push(plane('open', home, digest))
    removeTree(copy)
    removeTree(join(home, 'trees'))
  }
  table(`${sizes.files} files of 4 KiB checked out by links`, {
    '`cp -al`': all.cp,
    'a tree of the store': all.open,
  })
  const seconds = (costs: readonly Cost[]): number => median(costs.map((cost) => cost.seconds))
  goal('links ÷ `cp -al`', seconds(all.open) / seconds(all.cp), 0.9)
}

function plane(
  operation: 'collect' | 'open',
  home: string,
  what: string,
): Cost & { readonly digest?: string } {
  if (!existsSync(home)) mkdirSync(home, { recursive: true })
  const cost = costOf(
    [process.execPath, join(import.meta.dirname, 'data/plane.ts'), operation, home, what],
    folder,
  )
  const { seconds, digest } = JSON.parse(cost.stdout) as {
    readonly seconds: number
    readonly digest?: string
  }
  return { ...cost, seconds, ...(digest !== undefined && { digest }) }
}

function rounds(measure: () => Ran): Ran[] {
  return Array.from({ length: times }, measure)
}

function costs(all: readonly Ran[]): Cost[] {
  return all.map(({ cost }) => cost)
}

function table(title: string, all: Readonly<Record<string, readonly Cost[]>>): void {
  lines.push('', `## ${title}`, '', '| | wall, s | CPU, s |', '| --- | --- | --- |')
  for (const [name, some] of Object.entries(all)) {
    lines.push(
      `| ${name} | ${shown(some.map((one) => one.seconds))} | ${shown(some.map((one) => one.cpuSeconds))} |`,
    )
    process.stderr.write(`${title}: ${name}: ${shown(some.map((one) => one.seconds))}\n`)
  }
  lines.push('')
}

function shown(numbers: readonly number[]): string {
  return `${median(numbers).toFixed(2)} (${numbers.map((one) => one.toFixed(2)).join(', ')})`
}

function goal(what: string, measured: number, limit: number): void {
  const line = `- ${what}: **${measured.toFixed(2)}**, goal ≤ ${limit}: ${measured <= limit ? 'reached' : 'missed'}`
  lines.push(line)
  process.stderr.write(`${line}\n`)
}

function counted(what: string, all: readonly Ran[], expected: number): void {
  const executed = all.map((ran) => ran.executed)
  lines.push(`- ${what}: ${executed.join(', ')} executed, expected ${expected} each time`)
}
