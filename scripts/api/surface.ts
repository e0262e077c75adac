import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExtractorMessage } from '@microsoft/api-extractor'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { root } from '../source-files.ts'

/** The public surface of one entry point. */
export interface Surface {
  /** a text to be kept and compared */
  readonly report: string
  readonly exported: readonly string[]
  /** exported, without a comment that says what it is; members speak for themselves */
  readonly undocumented: readonly string[]
  /** reached by what is exported, so that users meet it and cannot name it */
  readonly forgotten: readonly string[]
}

/** Writes the declarations of sources in a tree to `folder`. Errors of types are found elsewhere. */
export function declare(tree: string, sources: readonly string[], folder: string): void {
  const config = join(folder, 'tsconfig.json')
  const compilerOptions = {
    rootDir: join(tree, 'src'),
    outDir: join(folder, 'types'),
    typeRoots: [join(root, 'node_modules/@types')],
    noCheck: true,
  }
  const files = sources.map((source) => join(tree, source))
  writeFileSync(
    config,
    JSON.stringify({ extends: join(root, 'tsconfig.types.json'), compilerOptions, files }),
  )
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], { cwd: tree })
}

/** The surface of an entry point that `declare` wrote to `folder`. */
export function surface(tree: string, name: string, source: string, folder: string): Surface {
  const forgotten: string[] = []
  Extractor.invoke(extractorConfig(tree, name, source, folder), {
    localBuild: true,
    messageCallback(message: ExtractorMessage) {
      message.handled = true
      if (message.messageId === 'ae-forgotten-export')
        forgotten.push(/"(.+?)"/.exec(message.text)?.[1] ?? message.text)
    },
  })
  const report = readFileSync(join(folder, `${name}.api.md`), 'utf8')
  const named =
    /^export (?:declare |abstract )*(?:class|const|enum|function|interface|let|namespace|type) (\w+)/
  const lines = report.split('\n')
  const nameAt = (i: number): string => named.exec(lines[i] ?? '')?.[1] ?? ''
  const after = (mark: string): string[] => lines.flatMap((line, i) => (line === mark ? [nameAt(i + 1)] : []))
  // one comment serves all overloads
  const documented = new Set(after('// @public'))
  return {
    report,
    exported: [...new Set(lines.map((_, i) => nameAt(i)).filter((name) => name !== ''))],
    undocumented: after('// @public (undocumented)').filter((name) => !documented.has(name)),
    forgotten,
  }
}

const extractorConfig = (tree: string, name: string, source: string, folder: string): ExtractorConfig =>
  ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(tree, 'package.json'),
    configObject: {
      projectFolder: tree,
      mainEntryPointFilePath: join(folder, 'types', source.replace(/^src\//, '').replace(/\.ts$/, '.d.ts')),
      compiler: { tsconfigFilePath: join(folder, 'tsconfig.json') },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: folder,
        reportTempFolder: join(folder, 'new'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        // TSDoc's grammar is stricter than our comments need to be
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: false },
          'ae-missing-release-tag': { logLevel: ExtractorLogLevel.None },
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: false },
          'ae-undocumented': { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: false },
        },
      },
    },
  })
