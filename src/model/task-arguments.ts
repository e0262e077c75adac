import type { Value } from './value.ts'

/**
 * What a function task is called with: its arguments, and the context at the place of its last parameter. One that
 * declares no parameter after its arguments (`(...numbers) => …`) gets none.
 */
export function taskArguments(
  fn: { readonly length: number },
  args: readonly Value[],
  context: unknown,
): readonly unknown[] {
  if (fn.length <= args.length) return args
  const called: unknown[] = [...args]
  while (called.length < fn.length - 1) called.push(undefined)
  return [...called, context]
}
