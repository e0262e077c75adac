import { testData } from '../testing/contracts/data-contract.ts'
import { diskPlace } from '../testing/disk-place.ts'
import { openDataPlane } from './open.ts'

testData('data on the disk', () =>
  diskPlace(async (root) => openDataPlane({ home: `${root}/.almanac`, data: `${root}/data` })),
)
