import { testData } from '../contracts/data-contract.ts'
import { bytes, text } from '../contracts/data-fixture.ts'
import { openMemoryData } from './memory-data.ts'

testData('data in memory', async () => {
  const data = openMemoryData()
  const { files } = data
  return {
    outside: '/outside',
    open: async () => data,
    write: (path, content, executable) => {
      files.remove(path)
      files.write(path, bytes(content), executable)
    },
    makeDirectory: (path) => files.makeDirectory(path),
    remove: (path) => files.remove(path),
    read: (path) => {
      const file = files.file(path)
      return file === undefined ? undefined : text(file.bytes)
    },
    isDirectory: (path) => files.isDirectory(path),
    dispose: async () => undefined,
  }
})
