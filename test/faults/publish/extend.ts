import { dataset, json, workflow } from 'almanac'
import { extend } from './publish.ts'

/** Makes a new version of what it read. */
export default workflow('extend', { input: { name: json<string>() } }, async ({ name }) => {
  const lines = dataset('lines')
  return lines.publish(extend(lines.read(), name).lines)
})
