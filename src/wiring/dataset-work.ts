import { addToDataset, scanDataset } from '../engine/datasets/add-dataset.ts'
import { showNewest } from '../engine/datasets/publish.ts'
import type { Workbench } from '../workbench.ts'
import { refuseOwnDirectory } from './own-directory.ts'

/** What people do with datasets. */
export function datasetWork(
  ports: Parameters<typeof scanDataset>[0],
  environment: string,
  home: string,
): Pick<Workbench, 'addData' | 'removeVersions' | 'scanDataset'> {
  return {
    addData: async (addition) => {
      refuseOwnDirectory(home, addition)
      return await addToDataset(ports, { environment, ...addition })
    },
    removeVersions: async (dataset, versions) => {
      const key = { environment, dataset, partition: '' }
      const removed = await ports.datasets.remove(key, versions, Date.now())
      await showNewest(ports, key)
      return removed
    },
    scanDataset: (dataset) => scanDataset(ports, { environment, dataset }),
  }
}
