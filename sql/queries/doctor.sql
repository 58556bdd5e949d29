-- What a check of the installation asks the database.

-- name: server :one
-- Which Postgres this is.
select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
       pg_is_in_recovery() as standby;

-- name: take_time :exec
-- For this transaction: a check may read more than a request.
select set_config('statement_timeout', '5min', true);

-- name: workers :one
-- Workers whose heartbeat is fresh, and jobs that wait for one.
select (select count(*) from procrastinate_workers
         where last_heartbeat > now() - make_interval(secs => %(alive_s)s)) as alive,
       (select count(*) from automation_job where state in ('queued', 'retrying', 'processing')) as jobs;

-- name: engines :many
-- Third parties that portals in use are keyed by.
select p.engine, min(p.key) as portal
  from portal as p where p.engine <> 'asbuilt' and exists (
       select from portal_account as a join project as r on r.portal_account_id = a.id where a.portal_key = p.key)
 group by p.engine order by p.engine;

-- name: blobs :many
-- The next blobs by their hash.
select sha256, size from blob where sha256 > %(after)s order by sha256 limit %(limit)s;

-- name: ailments :many
-- Every violated invariant.
select rule, job_id, record_id, sentence, hint from ops.doctor(%(grace_s)s);
