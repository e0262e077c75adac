import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Files to be scanned: all of one size, each with a content of its own. */
export interface Corpus {
  readonly root: string
  readonly files: number
  readonly directories: number
  readonly bytes: number
}

/** Path of a file within the corpus. */
export function pathOf({ directories }: Corpus, index: number): string {
  const name = `scene-${String(index).padStart(8, '0')}.nc`
  return directories === 1 ? name : `d${String(index % directories).padStart(5, '0')}/${name}`
}

export function makeCorpus(corpus: Corpus): Corpus {
  for (let i = 0; i < corpus.directories; i++) {
    mkdirSync(join(corpus.root, corpus.directories === 1 ? '' : `d${String(i).padStart(5, '0')}`), {
      recursive: true,
    })
  }
  for (let i = 0; i < corpus.files; i++) write(corpus, i, 'first')
  return corpus
}

/** Other content for ten files, spread over the corpus: others in each round. */
export function changeTen(corpus: Corpus, round: number): void {
  for (let i = 0; i < 10; i++) {
    write(corpus, (Math.floor((i * corpus.files) / 10) + 37 * round) % corpus.files, `round ${round}`)
  }
}

function write(corpus: Corpus, index: number, text: string): void {
  writeFileSync(join(corpus.root, pathOf(corpus, index)), Buffer.alloc(corpus.bytes, `${index} ${text} `))
}

/** Large files of bytes that no two share. */
export function makeLarge(root: string, files: number, megabytes: number): void {
  mkdirSync(root, { recursive: true })
  const block = Buffer.alloc(1 << 20)
  for (let i = 0; i < files; i++) {
    const file = openSync(join(root, `large-${i}.bin`), 'w')
    for (let at = 0; at < megabytes; at++) {
      block.fill(`${i} ${at} `)
      for (let n = 0; n < block.length; n += 512) block.writeUInt32LE((n * 2654435761 + i) >>> 0, n)
      writeSync(file, block)
    }
    closeSync(file)
  }
}
