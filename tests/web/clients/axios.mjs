// Sends a record and its photos by axios, which axios-retry lets try again, both with their own defaults.
import { readFileSync } from 'node:fs'
import axios from 'axios'
import axiosRetry from 'axios-retry'
import { form } from './package.mjs'

const [url, token, record, ...photos] = process.argv.slice(2)
let retries = 0
axiosRetry(axios, { retries: 8, onRetry: () => { retries += 1 } })
const headers = { Authorization: `Bearer ${token}` }
const answer = await axios.post(url, form(readFileSync(record, 'utf8'), photos, FormData, Blob), { headers })
console.log(JSON.stringify({ status: answer.status, job: answer.data.automation_job_id, turns: retries + 1 }))
