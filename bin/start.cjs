// Apart from almanac.cjs: a Node that does not know `import()` would refuse that file as a whole.
'use strict'

void import('../dist/cli.js')
