/**
 * The one type of the platform that pure folders speak of: what tells a task that it shall end. Where the
 * platform's own declaration is there too, the two are one interface.
 */
interface AbortSignal {
  readonly aborted: boolean
  throwIfAborted(): void
}
