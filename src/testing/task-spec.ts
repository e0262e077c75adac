import type { TaskBody, TaskPolicy, TaskSpec } from '../model/task.ts'

const policy: TaskPolicy = {
  retries: { count: 0, delayMs: 0, backoff: 1, maxDelayMs: 0, jitter: 0, memoryFactor: 1 },
  effect: false,
  random: false,
  location: false,
  cpu: 1,
  memoryBytes: 0,
  priority: 0,
  onFailure: 'fail',
}

/** A task with ordinary settings. */
export const taskSpec = (name: string, body: TaskBody, more: Partial<TaskSpec> = {}): TaskSpec => ({
  name,
  body,
  policy,
  env: [],
  reads: [],
  ...more,
})
