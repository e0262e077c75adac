import { openAlmanac } from '../../src/main.ts'

/** A program that opens a project, runs a file of workflows there, and never closes it: `node unclosed.ts PROJECT FILE`. */

const [project = '', file = ''] = process.argv.slice(2)
const almanac = await openAlmanac({ project })
const { workflow } = await almanac.load(file, {})
const handle = await almanac.start(workflow, {} as never)
const { state } = await handle.result
process.stdout.write(state)
