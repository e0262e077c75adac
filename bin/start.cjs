// Apart from almanac.cjs: a Node that does not know `import()` would refuse that file as a whole.
'use strict'

// compiled code is kept by Node: half of the start-up would go into parsing otherwise
require('node:module').enableCompileCache()

void import('../dist/cli.js')
