/** How calls end that are no task, and calls that take what is remembered. */
export const executed = { state: 'succeeded', reason: 'executed' } as const
export const replayed = { state: 'succeeded', reason: 'replayed' } as const
export const failedError = { state: 'failed', reason: 'error' } as const
