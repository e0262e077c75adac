#!/usr/bin/env node
// Runs on any Node, however old, so that a Node that is too old gets one clear line: no syntax after ES5 but the last line.
'use strict'

var major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(
    'ALM_NODE_OLD Almanac needs Node 24 or newer; this is Node ' +
      process.versions.node +
      '. Install Node 24, or run it by npm with node@24 as a dependency.',
  )
  process.exitCode = 2
} else {
  require('./start.cjs')
}
