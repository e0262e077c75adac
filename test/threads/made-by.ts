import { task } from '../../src/index.ts'

/** Makes a task for whoever asks. */
export const madeBy = (name: string, by: number): unknown =>
  task(name, { run: 'thread' }, (value: number) => value * by)
