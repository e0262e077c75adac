import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeEach } from 'vitest'
import type { CodeSource } from '../ports/code.ts'
import { almanacStub, ProjectFolder } from './project-folder.ts'

/** How a test opens code; the rest is as an executor would have it. */
interface CodeOptions {
  readonly home: string
  readonly project: string
  readonly almanacUrl: URL
  readonly python: () => Promise<string>
}

/** Where tests of an author's code play. */
export interface CodeStage {
  /** of each test its own */
  project: ProjectFolder
  /** what is known of code, from one test to the next */
  readonly home: ProjectFolder
  /** The project's code as another process would open it. */
  opened(options?: Partial<CodeOptions>): CodeSource
}

/** Opens it before the tests of a file, and closes it after them. */
export function openCodeStage(open: (options: CodeOptions) => CodeSource): CodeStage {
  const stub = new ProjectFolder().write({
    'almanac-stub.js': almanacStub,
    'package.json': '{ "type": "module" }',
  })
  const sources: CodeSource[] = []
  const stage: CodeStage = {
    project: stub,
    home: new ProjectFolder(),
    opened(options) {
      const source = open({
        home: stage.home.root,
        project: stage.project.root,
        almanacUrl: pathToFileURL(stub.path('almanac-stub.js')),
        python: async () => 'python3',
        ...options,
      })
      sources.push(source)
      return source
    },
  }
  beforeEach(() => {
    stage.project = new ProjectFolder()
  })
  afterEach(() => stage.project.remove())
  afterAll(async () => {
    for (const source of sources) await source.close()
    stage.home.remove()
    stub.remove()
  })
  return stage
}
