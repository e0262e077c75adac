import { expect, test } from 'vitest'
import { fromComments, fromDocstrings, fromMarkdown } from './extract.ts'

test('blocks of a document are found with their lines, names and what they print', () => {
  const text = [
    '# Title',
    '```ts title="ingest.ts"',
    'export const a = 1',
    '```',
    '- in a list',
    '',
    '  ```ts',
    "  import { a } from './ingest.ts'",
    '  console.log(a) // 1',
    '  ```',
    '```python title="steps.py"',
    'x = 1',
    '```',
    '```sh',
    'rm -rf /',
    '```',
    '```sh run',
    'almanac --version',
    '```',
    '',
  ].join('\n')
  expect(fromMarkdown('README.md', text)).toEqual([
    {
      source: 'README.md',
      line: 3,
      name: 'ingest.ts',
      kind: 'module',
      text: 'export const a = 1',
      prints: undefined,
    },
    {
      source: 'README.md',
      line: 8,
      name: 'line-8.ts',
      kind: 'module',
      text: "import { a } from './ingest.ts'\nconsole.log(a) // 1",
      prints: ['1'],
    },
    { source: 'README.md', line: 12, name: 'steps.py', kind: 'file', text: 'x = 1', prints: undefined },
    {
      source: 'README.md',
      line: 18,
      name: 'line-18.ts',
      kind: 'shell',
      text: 'almanac --version',
      prints: undefined,
    },
  ])
})

test('blocks of doc comments are found with their lines in the file', () => {
  const text = [
    "import { x } from './x.ts'",
    '/**',
    ' * Adds.',
    ' *',
    ' * @example',
    ' * ```ts',
    ' * const sum = 1 + 2',
    ' * console.log(sum) // 3',
    ' * ```',
    ' */',
    'export const add = x',
    '',
  ].join('\n')
  expect(fromComments('src/a.ts', text)).toEqual([
    {
      source: 'src/a.ts',
      line: 7,
      name: 'line-7.ts',
      kind: 'module',
      text: 'const sum = 1 + 2\nconsole.log(sum) // 3',
      prints: ['3'],
    },
  ])
})

test('blocks of docstrings are found with what they give or print', () => {
  const text = [
    'def f():',
    '    """Says it.',
    '',
    '    ```python',
    '    @workflow',
    '    async def main():',
    '        return 4  # gives 4',
    '    ```',
    '    ```python',
    '    print(5)  # prints 5',
    '    ```',
    '    """',
  ].join('\n')
  expect(fromDocstrings('a.py', text)).toEqual([
    {
      source: 'a.py',
      line: 5,
      name: 'line_5.py',
      kind: 'python',
      text: '@workflow\nasync def main():\n    return 4  # gives 4',
      prints: ['4'],
    },
    {
      source: 'a.py',
      line: 10,
      name: 'line_10.py',
      kind: 'python',
      text: 'print(5)  # prints 5',
      prints: ['5'],
    },
  ])
})
