// Sends a record and its photos in one request by the fetch of Node itself; it has no retry, so this insists by hand.
import { readFileSync } from 'node:fs'
import { insist, form } from './package.mjs'

const [url, token, record, ...photos] = process.argv.slice(2)
await insist(async () => {
  const body = form(readFileSync(record, 'utf8'), photos, FormData, Blob)
  const answer = await fetch(url, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body })
  return { status: answer.status, said: await answer.json() }
})
