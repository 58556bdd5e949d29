// Sends one file by tus-js-client, with its own defaults.
import { createReadStream, readFileSync } from 'node:fs'
import { Upload } from 'tus-js-client'

const [endpoint, token, record, name, path, kind] = process.argv.slice(2)
const upload = new Upload(kind === 'stream' ? createReadStream(path) : readFileSync(path), {
  endpoint,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { record_id: record, name },
  // A creation that is cut has told no address: it can only bring a little along.
  ...(kind === 'creation' ? { uploadDataDuringCreation: true, chunkSize: 24 * 1024 } : {}),
  onError: (error) => {
    console.error(String(error))
    process.exit(1)
  },
  onSuccess: () => process.exit(0),
})
upload.start()
