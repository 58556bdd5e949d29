-- The event stream's reads. Each is one statement, so that its rows and its xmin belong to the same moment.
-- `jobs` is a JSON array of what job_tell notifies: {job, record, project, device, seq, data}.

-- name: listen :exec
-- Every change of a job, as job_tell sends it.
listen asbuilt_job;

-- name: listen_records :exec
-- Every change of a record that no job's event tells, as record_tell sends it.
listen asbuilt_record;

-- name: listen_self :exec
-- What `ping` sends.
listen asbuilt_live;

-- name: ping :one
-- Notify ourselves: what comes back proves that LISTEN works, and that all before xmin has been delivered. `now` tells the clock.
select epoch, extract(epoch from clock_timestamp())::float8 as now, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xmin,
       pg_notify('asbuilt_live', %(nonce)s)::text as sent
  from stream_epoch;

-- name: running :one
-- Every job that is being processed now, without its data: whose progress may be shown, and to whom.
select e.epoch, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xmin,
       coalesce((select jsonb_agg(jsonb_build_object('job', j.id, 'record', j.record_id, 'project', j.project_id,
                                                     'device', j.device_id, 'seq', j.seq, 'attempt', j.attempt))
                   from automation_job as j where j.state = 'processing'), '[]')::text as jobs
  from stream_epoch as e;

-- name: changed_anywhere :one
-- What changed since a cursor, for the hub itself; one row more than it takes says that there is more.
select e.epoch, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xmin,
       coalesce((select jsonb_agg(jsonb_build_object('job', j.id, 'record', j.record_id, 'project', j.project_id,
                                                     'device', j.device_id, 'seq', j.seq, 'data', job_view(j)))
                   from (select * from automation_job
                          where changed_xid >= %(since)s::text::xid8
                          order by changed_xid
                          limit %(limit)s) as j), '[]')::text as jobs
  from stream_epoch as e;

-- name: changed_since :one
-- The same, of what a caller may see.
select e.epoch, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xmin,
       coalesce((select jsonb_agg(jsonb_build_object('job', j.id, 'record', j.record_id, 'project', j.project_id,
                                                     'device', j.device_id, 'seq', j.seq, 'data', job_view(j)))
                   from (select * from automation_job
                          where changed_xid >= %(since)s::text::xid8
                            and (project_id = any(%(projects)s) or device_id = %(device)s)
                          order by changed_xid
                          limit %(limit)s) as j), '[]')::text as jobs
  from stream_epoch as e;

-- name: latest :one
-- The live jobs of what a caller may see, running ones first, then each project's (and the device's) newest others.
select e.epoch, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xmin,
       coalesce((select jsonb_agg(jsonb_build_object('job', j.id, 'record', j.record_id, 'project', j.project_id,
                                                     'device', j.device_id, 'seq', j.seq, 'data', job_view(j)))
                   from (select shown.* from (
                             (select * from automation_job
                               where project_id = any(%(projects)s)
                                 and state not in ('completed', 'failed', 'cancelled')
                               order by state = 'processing' desc, created_at desc
                               limit %(limit)s)
                             union
                             (select newest.* from unnest(%(projects)s::uuid[]) as wanted
                               cross join lateral (
                                   select * from automation_job where project_id = wanted
                                    order by created_at desc, id desc
                                    limit %(limit)s) as newest)
                             union
                             (select own.* from (
                                   select id from asbuilt_record where device_id = %(device)s
                                    order by received_at desc
                                    limit %(limit)s) as r
                               cross join lateral (
                                   select * from automation_job where record_id = r.id) as own)
                         ) as shown
                          order by shown.state = 'processing' desc,
                                   shown.state in ('completed', 'failed', 'cancelled'), shown.changed_at desc
                          limit %(limit)s) as j), '[]')::text as jobs
  from stream_epoch as e;

-- name: of_record :one
-- The jobs of one record that changed since a cursor; since 0: all of them.
select e.epoch, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xmin,
       coalesce((select jsonb_agg(jsonb_build_object('job', j.id, 'record', j.record_id, 'project', j.project_id,
                                                     'device', j.device_id, 'seq', j.seq, 'data', job_view(j)))
                   from (select * from automation_job
                          where record_id = %(record)s and changed_xid >= %(since)s::text::xid8
                            and (project_id = any(%(projects)s) or device_id = %(device)s)
                          order by changed_xid
                          limit %(limit)s) as j), '[]')::text as jobs
  from stream_epoch as e;

-- name: of_job :one
-- One job, and its events after a number, oldest first.
select e.epoch, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xmin,
       (select jsonb_build_array(jsonb_build_object('job', j.id, 'record', j.record_id, 'project', j.project_id,
                                                    'device', j.device_id, 'seq', j.seq, 'data', job_view(j)))::text
          from automation_job as j
         where j.id = %(job)s and (j.project_id = any(%(projects)s) or j.device_id = %(device)s)) as jobs,
       coalesce((select jsonb_agg(v.data order by v.seq)
                   from (select seq, data from job_event
                          where job_id = %(job)s and seq > %(after)s
                          order by seq
                          limit %(limit)s) as v), '[]')::text as events
  from stream_epoch as e;

-- name: event_data :opt
-- An event too large for a notification.
select data::text as data from job_event where job_id = %(job)s and seq = %(seq)s;

-- name: record_visible :opt
-- Whether a caller may see a record.
select id from asbuilt_record
 where id = %(record)s and deleted_at is null and (project_id = any(%(projects)s) or device_id = %(device)s);

-- name: job_visible :opt
-- Whether a caller may see a job.
select id from automation_job
 where id = %(job)s and (project_id = any(%(projects)s) or device_id = %(device)s);
