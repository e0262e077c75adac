/**
 * How long a test waits for what other processes do, with `vi.waitUntil` and `vi.waitFor`: so long that nothing but a
 * fault takes longer, however busy the machine is.
 */
export const patience = { interval: 5, timeout: 60_000 } as const
