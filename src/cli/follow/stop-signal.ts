/** SIGTERM comes twice where both a program around us and its group are told, as `timeout` does. */
export const echoMs = 100

type Name = 'SIGINT' | 'SIGTERM'

/**
 * The first signal that asks to stop, and the next of its kind: what came as SIGINT may come as SIGTERM too, some time later,
 * by a program around us that passes it on. Gives back what ends it.
 */
export function onStopSignal(first: () => void, next: () => void): () => void {
  const last = new Map<Name, number>()
  const hear = (name: Name): void => {
    const isFirst = last.size === 0
    const before = last.get(name)
    last.set(name, performance.now())
    if (isFirst) first()
    else if (before !== undefined && performance.now() - before >= echoMs) next()
  }
  process.on('SIGINT', hear)
  process.on('SIGTERM', hear)
  return () => {
    process.off('SIGINT', hear)
    process.off('SIGTERM', hear)
  }
}

/** For one that was told to stop and is about to end: a SIGTERM is the same request, passed on as late as it may be. */
export function hearNoEcho(): void {
  process.on('SIGTERM', () => undefined)
}
