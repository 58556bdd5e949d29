-- Figures of the whole system for Prometheus: all projects, no ids, no names of people.

-- name: figures :many
-- Every figure in one reading: its name, the values of its labels, the number. Each part reads by an index of what is live
-- or recent, so that a million finished jobs cost it nothing.
with recent as materialized (
    select acc.portal_key, a.outcome, a.error_code, extract(epoch from a.started_at - a.queued_at) as pickup_s,
           extract(epoch from a.ended_at - a.started_at) as run_s
      from project as p
      cross join lateral (select * from automation_attempt as t
                           where t.project_id = p.id and t.ended_at > now() - make_interval(secs => %(recent_s)s)) as a
      join automation_job as j on j.id = a.job_id
      join portal_account as acc on acc.id = j.account_id),
live as materialized (
    select j.state, coalesce(j.wait_reason, '') as reason, count(*) as jobs,
           extract(epoch from now() - min(job_since(j))) as oldest_s,
           count(*) filter (where j.state = 'retrying' and j.ready_at < now()) as due
      from automation_job as j
     where j.state not in ('completed', 'cancelled') and j.state <> 'failed'
     group by 1, 2),
portals as materialized (select * from ops.portals),
workers as materialized (select * from ops.workers where state <> 'ended'),
figures (figure, labels, value) as (
    select 'jobs', array[state, reason], jobs::float8 from live
    union all
    select 'job_oldest_seconds', array[state, reason], oldest_s::float8 from live
    union all
    select 'ready_jobs', '{}', coalesce(sum(jobs) filter (where state = 'queued' and reason = ''), 0) + coalesce(sum(due), 0) from live
    union all
    select 'ready_oldest_seconds', '{}', coalesce(max(oldest_s) filter (where state = 'queued' and reason = ''), 0) from live
    union all
    select 'queue_rows', array[queue_name, status::text], count(*) from procrastinate_jobs
     where status in ('todo', 'doing') group by queue_name, status
    union all
    select 'attempts_recent', array[portal_key, outcome, coalesce(error_code, '')], count(*) from recent
     group by portal_key, outcome, coalesce(error_code, '')
    union all
    select 'pickup_recent_seconds', array[q::text], percentile_cont(q) within group (order by pickup_s)
      from recent, unnest(array[0.5, 0.95, 1]) as q group by q
    union all
    select 'run_recent_seconds', array[portal_key, q::text], percentile_cont(q) within group (order by run_s)
      from recent, unnest(array[0.5, 0.95, 1]) as q where outcome = 'completed' group by portal_key, q
    union all
    select 'records_recent', '{}', count(*)
      from project as p join asbuilt_record as r
        on r.project_id = p.id and r.deleted_at is null and r.received_at > now() - make_interval(secs => %(recent_s)s)
    union all
    select 'leases_expired', '{}', count(*) from automation_attempt where ended_at is null and lease_until < clock_timestamp()
    union all
    select 'workers', array[s], count(w.worker) from unnest('{alive,draining,lost}'::text[]) as s left join workers as w on w.state = s
     group by s
    union all
    select 'worker_places', '{}', coalesce(sum(places), 0) from workers where state = 'alive'
    union all
    select 'worker_places_busy', '{}', coalesce(sum(busy), 0) from workers where state = 'alive'
    union all
    select 'portal_breaker', array[portal, account, b], (breaker = b)::int from portals, unnest('{closed,open,half-open}'::text[]) as b
    union all
    select 'portal_paused', array[portal, account], (paused_as is not null)::int from portals
    union all
    select 'portal_slots', array[portal, account], open_to from portals
    union all
    select 'portal_slots_taken', array[portal, account], taken from portals
    union all
    select 'portal_waiting', array[portal, account], waiting from portals)
select figure, labels, value::float8 as value from figures where value is not null order by figure, labels;
