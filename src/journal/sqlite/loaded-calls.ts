import type { RememberedCall, RunId } from '../../model/records.ts'
import { unpackPage } from './calls/page-calls.ts'
import type { WriterClient } from './client.ts'

/** Whom pages are asked of. */
export type Pages = Pick<WriterClient, 'call'>

/**
 * All calls of a run, as a replay needs them: those in rows, then those in blocks.
 *
 * P1 each is there once, though others put calls into blocks and take them out meanwhile: what was put into one has come
 *    twice, and where a block is gone its calls may be in rows that were read already, so all is read again. (Not seen is
 *    a block that comes and goes within one reading.)
 */
export async function loadedCalls(pages: Pages, run: RunId): Promise<RememberedCall[]> {
  for (;;) {
    const calls: RememberedCall[] = []
    const blocks = await loadRows(pages, run, calls)
    const inRows = calls.length
    const found = await loadBlocks(pages, run, calls)
    if (blocks.every((block) => found.has(block))) return calls.length > inRows ? inOrder(calls) : calls
  }
}

/** The blocks that were there before. The next page is read while this one is unpacked. */
async function loadRows(pages: Pages, run: RunId, calls: RememberedCall[]): Promise<readonly number[]> {
  const blocks: number[] = []
  let reading: ReturnType<typeof readPage> | undefined = readPage(pages, run, 0)
  while (reading !== undefined) {
    const { page, next, blocks: there }: Awaited<ReturnType<typeof readPage>> = await reading
    reading = next === undefined ? undefined : readPage(pages, run, next)
    await asked
    blocks.push(...there)
    if (page !== undefined) unpackPage(page, calls)
  }
  return blocks
}

/** The blocks that were read. */
async function loadBlocks(pages: Pages, run: RunId, calls: RememberedCall[]): Promise<ReadonlySet<number>> {
  const blocks = new Set<number>()
  let reading: ReturnType<typeof readBlock> | undefined = readBlock(pages, run, -1)
  while (reading !== undefined) {
    const block: Awaited<ReturnType<typeof readBlock>> = await reading
    reading = block && readBlock(pages, run, block.next)
    await asked
    if (block === undefined) continue
    blocks.add(block.next)
    unpackPage(block.page, calls)
  }
  return blocks
}

const inOrder = (calls: RememberedCall[]): RememberedCall[] =>
  calls.sort((a, b) => a.call - b.call).filter(({ call }, i) => call !== calls[i - 1]?.call)

/** A question leaves in a microtask: whoever goes on working before that keeps it here. */
const asked = Promise.resolve()

const readBlock = (pages: Pages, run: RunId, after: number) => pages.call('frozen', run, after)

const readPage = (pages: Pages, run: RunId, from: number) => pages.call('load', run, from)
