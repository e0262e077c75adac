import type { Clock } from '../../ports/clock.ts'
import type { Downloads } from '../../ports/downloads.ts'
import type { HttpClient } from './client.ts'
import type { HostThrottles } from './host-throttles.ts'

/** What fetching needs from outside. */
export interface FetchTools {
  readonly client: Pick<HttpClient, 'ask'>
  readonly downloads: Downloads
  readonly clock: Clock
  /** 0 ≤ x < 1 */
  readonly chance: () => number
  readonly throttles: HostThrottles
  readonly signal: AbortSignal
  /** bytes that came */
  readonly received: (bytes: number) => void
}
