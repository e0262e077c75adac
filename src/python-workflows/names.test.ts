import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { command, script } from '../flow/command.ts'
import { container } from '../flow/container.ts'
import { namedOptionNames } from '../flow/named-task.ts'
import type { OptionNames } from '../flow/option-names.ts'
import { retryNames } from '../flow/options.ts'
import { python } from '../flow/python.ts'
import { run } from '../flow/run.ts'
import type { HttpSource, S3Source, SourceOptions } from '../flow/source.ts'
import type { HttpUrlOptions, S3Url } from '../flow/url.ts'
import { workflow } from '../flow/workflow.ts'

/** What the languages offer under their own spellings is the same: neither has what the other lacks. */

const told = JSON.parse(
  execFileSync(
    'python3',
    [
      '-c',
      `import inspect, json, almanac
from almanac._flow import containers, options, sources, tasks
names = lambda function: [name for name in inspect.signature(function).parameters if name not in ("function", "self")]
print(json.dumps({
    "options": options._OPTIONS,
    "own": options._OWN_OPTIONS,
    "others": options._OTHERS,
    "nested": options._NESTED,
    "typed": [*options.TaskOptions.__annotations__],
    "function": [*options.FunctionOptions.__annotations__],
    "retries": [*options.Retries.__annotations__],
    "container": names(containers.Containers.task),
    "run": [name for name in vars(type(almanac.run)) if not name.startswith("_")],
    "workflow": names(almanac.workflow),
    "ask": names(almanac.run.ask),
    "context": names(almanac.run.context),
    "map": names(tasks.Task.map),
    "sources": {
        "http": {**sources._HTTP, **sources._COMMON},
        "s3": {**sources._S3, **sources._COMMON},
        "urlHttp": sources._URL_HTTP,
        "urlS3": sources._URL_S3,
    },
    "asked": {
        "http": names(sources.Sources.http),
        "s3": names(sources.Sources.s3),
        "urlHttp": names(sources.Urls.http),
        "urlS3": names(sources.Urls.s3),
    },
    "sourceOptions": [*sources.SourceOptions.__annotations__],
    "sourceNested": sources._NESTED,
}))`,
    ],
    { env: { ...process.env, PYTHONPATH: fileURLToPath(new URL('../../python', import.meta.url)) } },
  ).toString(),
)

/** The names that a definition says there are, where it is given one that nobody has. */
function namesOf(define: (wrong: never) => unknown): string[] {
  try {
    define({ zzzzzzzzzzzzzzzz: 1 } as never)
  } catch (error) {
    return /there are (.*)\.$/.exec((error as Error).message)?.[1]?.split(', ') ?? []
  }
  return []
}

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].toSorted()

it('a task has the options that it has in TypeScript', () => {
  const common: Record<string, string> = told.options
  const own: Record<string, Record<string, string>> = told.own
  // `input` are annotations, or `inputs` of commands; `output` are `outputs`
  const others = ['context', 'input', 'output']
  expect(told.others).toEqual(['env', 'outputs', 'context'])
  const known = (kind: string, ...more: string[]): string[] =>
    sorted([...Object.values(common), ...Object.values(own[kind] ?? {}), ...others, ...more])
  expect(sorted([...Object.values(common), ...others])).toEqual(
    sorted([...Object.keys(namedOptionNames), 'name']),
  )
  expect(known('python', 'run', 'env')).toEqual(
    namesOf((wrong: object) => python.task({ ...wrong, run: 'a.py:f' })),
  )
  expect(known('command', 'run')).toEqual(
    namesOf((wrong: object) => command.task({ ...wrong, name: 'c', run: ['true'] })),
  )
  expect(known('script', 'lang', 'source')).toEqual(
    namesOf((wrong: object) => script.task({ ...wrong, name: 's', lang: 'sh', source: '' })),
  )
  const kinds = told.container.filter(
    (name: string) => !['options', 'inputs', 'outputs', 'retry_exits'].includes(name),
  )
  expect(known('container', ...kinds)).toEqual(
    namesOf((wrong: object) => container.task({ ...wrong, name: 'c', image: 'i' })),
  )
})

it('what a checker knows of options is what there is', () => {
  const common = Object.keys(told.options)
  expect(sorted([...told.typed, 'name'])).toEqual(sorted([...common, 'context']))
  expect(sorted(told.function)).toEqual(
    sorted([...common, 'context', 'env', ...Object.keys(told.own.python)]),
  )
  expect(sorted(told.retries.map((name: string) => told.nested[name] ?? name))).toEqual(
    sorted(Object.keys(retryNames)),
  )
})

it('sources and URLs take what they take in TypeScript', () => {
  const common: OptionNames<SourceOptions> = {
    rate: true,
    retries: true,
    idle: true,
    maxBytes: true,
    immutable: true,
    key: true,
  }
  const http: OptionNames<HttpSource> = {
    ...common,
    url: true,
    each: true,
    to: true,
    checksums: true,
    headers: true,
    allowMissing: true,
    linkLocal: true,
    unsized: true,
  }
  const place = { bucket: true, endpoint: true, region: true, pathStyle: true, anonymous: true } as const
  const s3: OptionNames<S3Source> = { ...common, ...place, prefix: true, include: true, exclude: true }
  const urlHttp: OptionNames<HttpUrlOptions> = { immutable: true }
  const urlS3: OptionNames<S3Url> = { ...place, key: true, version: true }
  const meant = (which: string): string[] => Object.values<string>(told.sources[which])
  expect(sorted([...meant('http'), 'key'])).toEqual(sorted(Object.keys(http)))
  expect(sorted([...meant('s3'), 'key'])).toEqual(sorted(Object.keys(s3)))
  expect(sorted(meant('urlHttp'))).toEqual(sorted(Object.keys(urlHttp)))
  expect(sorted(meant('urlS3'))).toEqual(sorted(Object.keys(urlS3)))
  // what its functions ask for
  const own = (which: string): string[] => told.asked[which].filter((name: string) => name !== 'options')
  for (const which of ['http', 's3'])
    expect(sorted([...own(which), ...told.sourceOptions])).toEqual(
      sorted([...Object.keys(told.sources[which]), 'key']),
    )
  expect(sorted(own('urlHttp'))).toEqual(['immutable', 'url'])
  expect(sorted(own('urlS3'))).toEqual(sorted(Object.keys(told.sources.urlS3)))
})

it('their names in Python are those in TypeScript with underscores', () => {
  const inPython = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const all = {
    ...told.options,
    ...told.own.python,
    ...told.own.command,
    ...told.own.script,
    ...told.nested,
    ...told.sources.http,
    ...told.sources.s3,
    ...told.sources.urlS3,
    ...told.sourceNested.rate,
    ...told.sourceNested.retries,
  }
  for (const [name, meant] of Object.entries<string>(all)) expect(name).toBe(inPython(meant))
})

it('run offers what it offers in TypeScript', () => {
  expect(sorted(told.run)).toEqual(sorted(Object.keys(run)))
})

it('workflows, questions, documents and maps take what they take in TypeScript', () => {
  // inputs and outputs are annotations; the name is TypeScript's first argument
  expect(sorted([...told.workflow, 'input', 'output'])).toEqual(
    sorted([...namesOf((wrong) => workflow('w', wrong, () => 1)), 'name']),
  )
  expect(told.ask).toEqual(['schema', 'title', 'show', 'timeout', 'to', 'key'])
  expect(sorted(told.context)).toEqual(sorted(['name', ...namesOf((wrong) => run.context('c', wrong))]))
  expect(told.map).toEqual(['over', 'inputs', 'into', 'include', 'by'])
})
