// Apart from almanac.cjs: a Node that does not know `import()` would refuse that file as a whole.
'use strict'

import('../dist/cli.js')
