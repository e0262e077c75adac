import { expect, it } from 'vitest'
import { catalogue } from '../model/errors.ts'
import { pathOf } from './command-help.ts'
import { commands, suggestion } from './suggestions.ts'
import { buildProgram } from './program.ts'

/** What is written where words cannot be read. */
async function said(line: string): Promise<string> {
  const words = line.split(' ')
  const told: string[] = []
  const program = buildProgram('', words, (text) => told.push(text))
  await program.parseAsync(words, { from: 'user' }).catch(() => {})
  return told.join('')
}

it.each([
  ['ls', "error: unknown command 'ls'\nDid you mean almanac runs?\nSee almanac help.\n"],
  ['stop', "error: unknown command 'stop'\nDid you mean almanac cancel RUN?\nSee almanac help.\n"],
  ['statsu', "error: unknown command 'statsu'\n(Did you mean status?)\nSee almanac help.\n"],
  ['nonsense', "error: unknown command 'nonsense'\nSee almanac help.\n"],
  [
    'pipeline.ts',
    "error: unknown command 'pipeline.ts'\nTo run it: almanac run pipeline.ts\nSee almanac help.\n",
  ],
  ['data list', "error: unknown command 'list'\nDid you mean almanac data ls?\nSee almanac data --help.\n"],
  [
    'retry',
    "error: missing required argument 'run'\nName a run by its id, or last: almanac runs lists them.\nSee almanac retry --help.\n",
  ],
  [
    'run flow.py texts=texts n=2',
    "error: too many arguments for 'run'. Expected 1 argument but got 3: flow.py, texts=texts, n=2.\nInputs are given by name: almanac run flow.py --input texts=texts --input n=2\nSee almanac run --help.\n",
  ],
  [
    'run flow.py --texts texts',
    "error: unknown option '--texts'\nIf it is an input of the workflow: almanac run flow.py --input texts=texts\nSee almanac run --help.\n",
  ],
  [
    'run flow.py --param x=1',
    "error: unknown option '--param'\nInputs are given as --input x=1\nSee almanac run --help.\n",
  ],
  [
    'run --file flow.py',
    "error: unknown option '--file'\nThe file has no flag: almanac run flow.py\nSee almanac run --help.\n",
  ],
  [
    'run flow.py -resume',
    "error: unknown option '-resume'\nTo go on with a run: almanac resume RUN\nSee almanac run --help.\n",
  ],
  [
    'run flow.py --failfast',
    "error: unknown option '--failfast'\n(Did you mean --fail-fast?)\nSee almanac run --help.\n",
  ],
])('almanac %s is answered with what to do', async (line, text) => expect(await said(line)).toBe(text))

/** Each command of the program: `run`, `data ls`. */
const known = new Set(
  buildProgram('')
    .commands.flatMap((one) => [one, ...one.commands])
    .map(pathOf),
)

it('names commands that there are, in hints of the catalogue too', () => {
  const named = Object.values(commands).filter((text) => !text.startsWith('--'))
  const hints = Object.values(catalogue).flatMap(({ hint }) => [
    ...hint.matchAll(/\balmanac ([a-z]+(?: (?:ls|log|set))?)/g),
  ])
  const texts = [...named.map((text) => text.replace(/ [-A-Z].*/, '')), ...hints.map(([, text]) => text)]
  expect(texts.filter((text) => !known.has(text ?? '') && text !== 'help')).toEqual([])
  // a command that there is needs no guess
  expect(Object.keys(commands).filter((word) => known.has(word))).toEqual([])
  expect(suggestion('error: something else', ['run'])).toBeUndefined()
})
