import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Files of tests that take minutes, the longest first. Begun last, one would run by itself while the other processors
 * rest; by its size, which is all that is known in a clean checkout, vitest guesses badly.
 */
const long = [
  'test/faults/kill.test.ts',
  'test/forecast/forecast.test.ts',
  'test/imaging/imaging.test.ts',
  'test/hosts/contract.test.ts',
  'test/sources/workflow.test.ts',
  'test/faults/hostile.test.ts',
  'test/s3/s3.test.ts',
  'test/faults/publish.test.ts',
  'test/cli/datasets.test.ts',
  'test/python/environment.test.ts',
  'test/sources/urls.test.ts',
]

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = long.findIndex((name) => moduleId.endsWith(`/${name}`))
      return at < 0 ? long.length : at
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}
