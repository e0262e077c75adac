import type { StandardSchemaV1 } from '@standard-schema/spec'
import { z } from 'zod'
import { DirRef, FileRef } from '../model/refs.ts'
import type { OutputKind } from '../model/task.ts'
import { type Dir, dirOf, type File } from './values.ts'

/** Anything that speaks Standard Schema: zod, valibot, arktype, … */
export type Schema<T = unknown> = StandardSchemaV1<unknown, T>

/** Named schemas: the inputs or outputs of a task or workflow. */
export type Shape = Readonly<Record<string, Schema>>
export type ShapeOf<S extends Shape> = { [K in keyof S]: StandardSchemaV1.InferOutput<S[K]> }

/**
 * A file: as an input it is there at a path, as an output it is left at one. `name` is what the file of an output is
 * called, where that should differ from the output: `file('index.json')`.
 */
export const file = (name?: string): z.ZodType<File, File> =>
  z
    .custom<File>((value) => value instanceof FileRef, { error: 'is no file' })
    .meta({ almanac: 'file', ...(name !== undefined && { fileName: name }) })

function dirSchema(): z.ZodType<Dir, Dir> {
  return z
    .custom<Dir>((value) => value instanceof DirRef, { error: 'is no directory' })
    .meta({ almanac: 'dir' })
}

/** A directory, as an input or an output; `dir.of({ name: file })` makes one of what exists. */
export const dir: typeof dirSchema & { readonly of: typeof dirOf } = Object.assign(dirSchema, { of: dirOf })

/**
 * Any JSON value. `json<number>()` only claims the type: whatever comes is taken, and nothing checks that it is a
 * number. `json(schema)` checks it, by any Standard Schema (zod, valibot, arktype, …), and takes its type from there.
 *
 * @example
 * ```ts
 * import { json, workflow, z } from 'almanac'
 *
 * // `--input level=high` is refused before anything runs; with `json<number>()` it would be a text in `level`
 * export default workflow('leveled', { input: { level: json(z.number()) } }, async ({ level }) => level + 1)
 * ```
 */
export const json = <T = unknown>(schema?: Schema<T>): z.ZodType<T, T> => {
  if (schema === undefined) return z.custom<T>(() => true).meta({ almanac: 'value' })
  return z
    .custom<T>()
    .superRefine(async (value, context) => {
      const result = await schema['~standard'].validate(value)
      for (const issue of result.issues ?? []) {
        context.addIssue({
          code: 'custom',
          message: issue.message,
          path: (issue.path ?? []).map((step) => (typeof step === 'object' ? step.key : step)),
        })
      }
    })
    .meta({ almanac: 'value' })
}

/** File, directory or value: what is done with the bytes. */
export function kindOf(schema: Schema): OutputKind {
  const kind = schema instanceof z.ZodType ? schema.meta()?.['almanac'] : undefined
  return kind === 'file' || kind === 'dir' ? kind : 'value'
}

/** One schema for named ones. Schemas of other libraries are wrapped. */
export function shapeSchema(shape: Shape): Schema {
  return z.object(
    Object.fromEntries(
      Object.entries(shape).map(([name, schema]) => [
        name,
        schema instanceof z.ZodType ? schema : json(schema),
      ]),
    ),
  )
}

/** The name that an output's file is to have. */
export function fileNameOf(schema: Schema): string | undefined {
  const name = schema instanceof z.ZodType ? schema.meta()?.['fileName'] : undefined
  return typeof name === 'string' ? name : undefined
}

/** The JSON Schema of what a schema accepts, with `almanac: 'file' | 'dir'` where files are meant; `{}` where unknown. */
export function jsonSchemaOf(schema: Schema): Readonly<Record<string, unknown>> {
  if (schema instanceof z.ZodType) return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const own = (schema['~standard'] as { jsonSchema?: { input(options: object): Record<string, unknown> } })
    .jsonSchema
  return own?.input({ target: 'draft-2020-12' }) ?? {}
}
