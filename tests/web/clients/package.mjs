// The multipart request of a record and its photos, and a loop that insists until there is an answer.
import { readFileSync } from 'node:fs'
import { basename, extname } from 'node:path'

export function form(record, photos, FormData, Blob) {
  const body = new FormData()
  body.append('record', new Blob([record], { type: 'application/json' }))
  for (const path of photos) {
    body.append(basename(path, extname(path)), new Blob([readFileSync(path)], { type: 'image/jpeg' }), 'image.jpg')
  }
  return body
}

export async function insist(send) {
  for (let turn = 0; turn < 10; turn += 1) {
    try {
      const { status, said } = await send()
      console.log(JSON.stringify({ status, job: said.automation_job_id, turns: turn + 1 }))
      return
    } catch (error) {
      console.error(String(error))
    }
  }
  process.exit(1)
}
