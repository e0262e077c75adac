import { encode } from '../../model/codec.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { DataPlane } from '../../ports/data.ts'
import type { Datasets } from '../../ports/datasets.ts'

/**
 * Shows what a workflow gave as plain files under the project's data directory, all of it switched at once:
 * files and directories of the output by field, and its values in `output.json`.
 */
export async function showOutput(
  { data, datasets }: { readonly data: DataPlane; readonly datasets: Datasets },
  environment: string,
  workflow: string,
  output: Value,
): Promise<string | undefined> {
  // a version that was published has its own place, and where a dataset has the name it keeps it
  if (isPublished(output) || (await isDataset(datasets, environment, workflow))) return undefined
  if (output instanceof FileRef || output instanceof DirRef) return data.show(environment, workflow, output)
  if (output === null || typeof output !== 'object' || Array.isArray(output)) return undefined
  const entries: [string, FileRef | DirRef][] = []
  const values: Record<string, Value> = {}
  for (const [name, value] of Object.entries(output as Record<string, Value>)) {
    if (value instanceof DirRef) entries.push([name, value])
    else if (value instanceof FileRef) entries.push([value.name.includes('.') ? value.name : name, value])
    else values[name] = value
  }
  if (entries.length === 0) return undefined
  if (Object.keys(values).length > 0) {
    entries.push([
      'output.json',
      await data.writeFile('output.json', new TextEncoder().encode(`${encode(values)}\n`)),
    ])
  }
  return data.show(environment, workflow, await data.assemble(unique(entries)))
}

/** What `publish` gives. */
function isPublished(output: Value): boolean {
  if (output === null || typeof output !== 'object' || Array.isArray(output)) return false
  const { dataset, version, dir } = output as Record<string, Value>
  return typeof dataset === 'string' && typeof version === 'number' && dir instanceof DirRef
}

/** Is there a dataset of that name, or one that would lie below? */
async function isDataset(datasets: Datasets, environment: string, name: string): Promise<boolean> {
  if ((await datasets.version({ environment, dataset: name, partition: '' })) !== undefined) return true
  const [below] = await datasets.list(environment, { after: `${name}/`, limit: 1 })
  return below?.dataset.startsWith(`${name}/`) === true
}

/** Two files of one name stand under their fields' names. */
function unique(entries: readonly [string, FileRef | DirRef][]): [string, FileRef | DirRef][] {
  const seen = new Set<string>()
  return entries.map(([name, ref], index) => {
    const free = seen.has(name) ? `${index}-${name}` : name
    seen.add(free)
    return [free, ref]
  })
}
