import { type Document, document } from '../flow/document.ts'
import type { Value } from '../model/value.ts'
import type { DescribedDocument } from './messages.ts'
import { schemaFrom } from './schemas.ts'

/** so many are kept: names may be made in a loop */
const most = 1000

/**
 * Documents as Python tells of them. Owns those that it has made: equal gets of one are one call, and what is told of
 * equally is one.
 */
export class ToldDocuments {
  readonly #known = new Map<string, Document<Value>>()

  /** @throws ALM_CONTEXT_NAME, ALM_OPTION_REFUSED */
  of(described: DescribedDocument): Document<Value> {
    const text = JSON.stringify(described, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    )
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const { name, of, schema, initial } = described
    const made = document<Value>(name, {
      of,
      ...(schema !== undefined && { schema: schemaFrom(schema) as never }),
      ...(initial !== undefined && { initial }),
    })
    if (this.#known.size >= most) this.#known.clear()
    this.#known.set(text, made)
    return made
  }

  /** What a workflow asks of one. */
  ask(
    operation: 'get' | 'put' | 'patch',
    details: Readonly<Record<string, Value>>,
    key: string | undefined,
  ): unknown {
    const { document: described, value, seen, newest, version } = details as never as DocumentDetails
    const one = this.of(described)
    if (operation === 'get') return one.get({ newest, ...(version !== null && { version }) })
    const how = { ...(seen !== null && { seen }), ...(key !== undefined && { key }) }
    return operation === 'put' ? one.put(value, how) : one.patch(value, how)
  }
}

interface DocumentDetails {
  readonly document: DescribedDocument
  readonly value: Value
  readonly seen: number | 'newest' | null
  readonly newest: boolean
  readonly version: number | null
}
