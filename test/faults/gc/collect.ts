/**
 * A collection so many hours from now, as `almanac gc` does it. It is run in the project's folder: `node collect.ts 30`.
 */
const [, , hours = '0'] = process.argv
const clock = Date.now
Date.now = () => clock() + Number(hours) * 3600_000
const { openAlmanac } = await import('../../../src/main.ts')
const almanac = await openAlmanac()
const figures = await almanac.maintenance.collectGarbage({ dryRun: false })
await almanac.close()
console.log(JSON.stringify(figures))
