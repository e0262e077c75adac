import { type Document, document } from '../flow/document.ts'
import type { Value } from '../model/value.ts'
import type { DescribedDocument } from './messages.ts'
import { schemaFrom } from './schemas.ts'

/** A document as Python tells of it. @throws ALM_CONTEXT_NAME, ALM_OPTION_REFUSED */
export const documentFrom = ({ name, of, schema, initial }: DescribedDocument): Document<Value> =>
  document<Value>(name, {
    of,
    ...(schema !== undefined && { schema: schemaFrom(schema) as never }),
    ...(initial !== undefined && { initial }),
  })

interface DocumentDetails {
  readonly document: DescribedDocument
  readonly value: Value
  readonly seen: number | 'newest' | null
  readonly newest: boolean
  readonly version: number | null
}

/** What a workflow asks of one. */
export function documentCall(
  operation: 'get' | 'put' | 'patch',
  details: Readonly<Record<string, Value>>,
  key: string | undefined,
): unknown {
  const { document: described, value, seen, newest, version } = details as never as DocumentDetails
  const one = documentFrom(described)
  if (operation === 'get') return one.get({ newest, ...(version !== null && { version }) })
  const how = { ...(seen !== null && { seen }), ...(key !== undefined && { key }) }
  return operation === 'put' ? one.put(value, how) : one.patch(value, how)
}
