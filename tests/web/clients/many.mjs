// Sends one file many times at once by tus-js-client, with its own defaults: each is a photo of its own.
import { readFileSync } from 'node:fs'
import { Upload } from 'tus-js-client'

const [endpoint, token, record, path, ...names] = process.argv.slice(2)
const bytes = readFileSync(path)
const send = (name) =>
  new Promise((onSuccess, onError) => {
    const headers = { Authorization: `Bearer ${token}` }
    new Upload(bytes, { endpoint, headers, metadata: { record_id: record, name }, onSuccess, onError }).start()
  })
const ends = await Promise.allSettled(names.map(send))
const failed = ends.filter((end) => end.status === 'rejected')
for (const end of failed) console.error(String(end.reason))
process.exit(failed.length ? 1 : 0)
