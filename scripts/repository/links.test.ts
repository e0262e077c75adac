import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { deadLinks } from './links.ts'

let tree: string

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'almanac-links-'))
})

afterEach(() => rmSync(tree, { recursive: true }))

test('links that lead nowhere are named, all others are let be', () => {
  writeFileSync(join(tree, 'b.md'), '# What `b` is\n\n## Twice\n\n## Twice\n\n```sh\n# no heading\n```\n')
  writeFileSync(
    join(tree, 'a.md'),
    [
      '# A',
      '[ok](b.md) [ok](b.md#what-b-is) [ok](b.md#twice-1) [ok](#a) [ok](https://example.org/x) [ok](./)',
      '[gone](c.md) [gone](b.md#no-heading) [gone](#b) [outside](../elsewhere.md)',
      '```md',
      '[not a link](d.md)',
      '```',
    ].join('\n'),
  )
  expect(deadLinks('a.md', tree)).toEqual([
    'a.md: c.md leads nowhere',
    'a.md: b.md#no-heading leads nowhere',
    'a.md: #b leads nowhere',
    'a.md: ../elsewhere.md leads nowhere',
  ])
})
