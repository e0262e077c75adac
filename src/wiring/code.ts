import { AsyncLocalStorage } from 'node:async_hooks'
import { extname } from 'node:path'
import { type CodeSourceOptions, openCodeSource } from '../code/source.ts'
import { findPython } from '../executors/python/interpreter.ts'
import type { CodeSource, LoadedFile } from '../ports/code.ts'
import type { PythonWorkflows } from '../python-workflows/load.ts'

export interface CodeUse {
  /** workflows in Python run on the terminal, under a debugger */
  readonly debug: 'pdb' | 'debugpy' | undefined
  /** the file that will be loaded first: the process of one in Python starts beside all else that is opened */
  readonly near: string | undefined
}

/** Workflows of both languages, by what their files are called. Nothing of Python is loaded for those in TypeScript. */
export function openCode(options: Omit<CodeSourceOptions, 'almanacUrl' | 'python'> & CodeUse): CodeSource {
  const interpreter = async (): Promise<string> => (await findPython(undefined)).python
  const almanacUrl = new URL('../index.ts', import.meta.url)
  const code = openCodeSource({ ...options, python: interpreter, almanacUrl })
  let python: Promise<PythonWorkflows> | undefined
  const open = async (): Promise<PythonWorkflows> => {
    const { PythonWorkflows } = await import('../python-workflows/load.ts')
    const { project, debug } = options
    return new PythonWorkflows({ project, python: interpreter, load, ...(debug !== undefined && { debug }) })
  }
  const load = async (file: string): Promise<LoadedFile> => {
    if (extname(file) !== '.py') return code.load(file)
    python ??= open()
    return (await python).load(file)
  }
  // a workflow may ask for a file: what is loaded, and the process that it lives in, are no part of that workflow
  const outside = AsyncLocalStorage.snapshot() as <T>(fn: () => T) => T
  const { near, debug } = options
  let begun =
    near !== undefined && extname(near) === '.py' && debug === undefined
      ? { file: near, loading: load(near) }
      : undefined
  // whoever loads it hears of that
  begun?.loading.catch(() => undefined)
  const first = (file: string): Promise<LoadedFile> => {
    if (begun?.file !== file) return load(file)
    const { loading } = begun
    begun = undefined
    return loading
  }
  return {
    load: (file) => outside(() => first(file)),
    fingerprint: (task) => code.fingerprint(task),
    known: (task) => code.known(task),
    isStill: (task, digest) => code.isStill(task, digest),
    close: async () => {
      await (await python)?.close()
      await code.close()
    },
  }
}
