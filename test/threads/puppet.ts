import { task } from '../../src/index.ts'
import { inlinePuppet } from '../../src/testing/executors/puppet-inline.ts'

/** Puppets that threads run. */

export const puppet = task('puppet', { run: 'thread' }, inlinePuppet)
export const instant = task('instant', { run: 'thread' }, (value: number) => value)
