import type { TaskSpec } from '../model/task.ts'

/** What counts for a task besides its code and inputs, by name: its Python and requirements, its image. */
export interface Surroundings {
  of(task: TaskSpec): Promise<Readonly<Record<string, string>>>
  /** The same, where it is known without waiting. Never throws: `of` says what is wrong. */
  known(task: TaskSpec): Readonly<Record<string, string>> | undefined
}
