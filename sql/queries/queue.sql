-- What the worker's hardening needs of the queue beside Procrastinate's own statements.

-- name: listen :exec
-- New rows, and requests to abort running ones.
listen "procrastinate_queue_v1#automation";

-- name: listen_checks :exec
-- The same of the photos that are to be checked.
listen "procrastinate_queue_v1#checks";

-- name: listen_own :exec
-- What `ping` sends.
listen asbuilt_worker;

-- name: ping :exec
-- Notify ourselves: what comes back proves that LISTEN works.
select pg_notify('asbuilt_worker', %(nonce)s);

-- name: put_back :exec
-- A fetched row whose task this version does not know waits a minute for a worker that does.
update procrastinate_jobs
   set status = case when abort_requested then 'aborted' else 'todo' end::procrastinate_job_status,
       abort_requested = false, worker_id = null, scheduled_at = clock_timestamp() + interval '1 minute'
 where id = %(id)s and status = 'doing';
