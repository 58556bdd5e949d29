// workbox-background-sync as its guide has it; the page says when to replay, since a browser without a person may not.
importScripts('workbox-core.prod.js', 'workbox-background-sync.prod.js')

const queue = new workbox.backgroundSync.Queue('uploads', { onSync: async () => {} })

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', (event) => {
  if (event.request.method !== 'POST') return
  const kept = event.request.clone()
  event.respondWith(fetch(event.request).catch(async () => {
    await queue.pushRequest({ request: kept })
    return new Response('', { status: 202 })
  }))
})
self.addEventListener('message', async (event) => {
  const before = await queue.size()
  let said = 'sent'
  try {
    await queue.replayRequests()
  } catch {
    said = 'failed'
  }
  event.source.postMessage({ before, said, after: await queue.size() })
})
