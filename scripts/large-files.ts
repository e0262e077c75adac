/** Sources of more than 400 lines, each with the reason why it is one thing. An entry that is not needed is an error. */
export const largeFiles: Readonly<Record<string, string>> = {
  'src/model/errors.ts':
    'the catalogue: every error there is, in one list that documents and tests go through',
  'src/model/records.ts':
    'what the journal keeps: every kind of record, in one list that adapters go through',
  'src/engine/run-driver.ts': 'where the parts of a run meet: each event goes through it to one of them',
  'src/executors/python/worker.ts':
    'a worker process as the host sees it: every message of it changes the same state',
  'src/testing/simulation/author.ts':
    'random programs as their author would write them: a shape of step each, that have each other in them',
  'src/testing/simulation/checker.ts': 'what must hold of a simulated run, numbered, seen step by step',
  'src/testing/simulation/generate.ts':
    'one grammar of random programs: a shape of step each, that make each other',
  'src/testing/simulation/life.ts': 'one life of a simulated process: what happens to it, step by step',
  'src/testing/memory/memory-data.ts': 'a whole data plane in memory: one port, over one set of files',
}
