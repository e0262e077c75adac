#!/usr/bin/env node
// Runs on any Node, however old, so that a Node that is too old is told of in one clear line, or replaced by the one
// that the package `node` has installed: no syntax after ES5.
'use strict'

var major = Number(process.versions.node.split('.')[0])
if (major >= 24) {
  require('./start.cjs')
} else {
  var found = require('./newer-node.cjs').find([__dirname, process.cwd()])
  if (found === undefined) {
    console.error(
      'ALM_NODE_OLD Almanac needs Node 24 or newer; this is Node ' +
        process.versions.node +
        '. Install Node 24 beside it: npm install --save-dev node@24, and run it by npx almanac.',
    )
    process.exitCode = 2
  } else {
    require('./newer-node.cjs').run(found, [__filename].concat(process.argv.slice(2)))
  }
}
