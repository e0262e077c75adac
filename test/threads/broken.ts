import { task } from '../../src/index.ts'

/** A module that cannot be loaded in a thread. */
export const never = task('never', { run: 'thread' }, () => 1)

throw new Error('no such luck')
