-- What operators look at. Every read is of the projects that the caller operates.

-- name: backlog :many
-- Live jobs by what they wait for, and since when the oldest does.
select j.state, j.wait_reason, count(*) as jobs, min(job_since(j)) as oldest_at,
       count(*) filter (where j.state = 'retrying' and j.ready_at < now()) as due
  from automation_job as j
 where j.project_id = any(%(projects)s)
   and j.state in ('awaiting_media', 'held', 'queued', 'processing', 'retrying', 'needs_input')
 group by j.state, j.wait_reason
 order by j.state, j.wait_reason;

-- name: failures :many
-- Groups of jobs that have failed or try again, the largest first; `groups` and `all_jobs` count beyond the limit.
with failing as (
    select a.portal_key as portal, j.failure as fingerprint, j.id, j.error_step, j.error_code, j.error_class, j.error_message,
           j.state, coalesce(j.finished_at, j.changed_at) as at
      from automation_job as j join portal_account as a on a.id = j.account_id
     where j.project_id = any(%(projects)s) and j.state in ('failed', 'retrying')
       -- A look-up for each; `not exists` becomes a join that reads all jobs.
       and j.created_at >= (select max(later.created_at) from automation_job as later where later.record_id = j.record_id))
select portal, fingerprint, min(error_step) as step, min(error_code) as code, min(error_class) as error_class,
       failure_shape(min(error_message)) as shape, (array_agg(left(error_message, 500) order by at desc, id desc))[1] as message,
       count(*) as jobs, count(*) filter (where state = 'failed') as failed, min(at) as first_at, max(at) as last_at,
       count(*) over () as groups, (sum(count(*)) over ())::bigint as all_jobs
  from failing
 group by portal, fingerprint
 order by count(*) desc, max(at) desc, fingerprint
 limit %(limit)s;

-- name: failed_attempts :many
-- Attempts that failed in the last 24 hours, by cause and hour; `hour` 23 is the running one.
select a.portal_key as portal, t.failure as fingerprint, min(t.error_step) as step, min(t.error_code) as code,
       min(t.error_class) as error_class, failure_shape(min(t.error_message)) as shape,
       23 - floor(extract(epoch from now() - t.ended_at) / 3600)::int as hour,
       count(*) as attempts, max(t.ended_at) as last_at
  from automation_attempt as t
  join automation_job as j on j.id = t.job_id
  join portal_account as a on a.id = j.account_id
 where t.outcome = 'failed' and t.failure is not null and t.ended_at > now() - interval '24 hours'
   and j.project_id = any(%(projects)s)
 group by 1, 2, 7;

-- name: failing_jobs :many
-- A page of the jobs of one group, newest first.
select j.id, j.record_id, p.code as project, j.external_ref, r.asset_key, j.state, left(j.error_message, 500) as message,
       coalesce(j.finished_at, j.changed_at) as at, j.attempt, j.created_at
  from automation_job as j
  join portal_account as a on a.id = j.account_id
  join project as p on p.id = j.project_id
  join asbuilt_record as r on r.id = j.record_id
 where j.project_id = any(%(projects)s) and j.failure = %(fingerprint)s and j.state in ('failed', 'retrying')
   and a.portal_key = %(portal)s
   and not exists (select from automation_job as later
                    where later.record_id = j.record_id and later.created_at > j.created_at)
   and (j.created_at, j.id) < (%(at)s, %(after)s)
 order by j.created_at desc, j.id desc
 limit %(limit)s;

-- name: workers :many
-- Workers that have not ended by themselves, with what they run for the caller's projects; `busy` counts all their runs.
select w.worker, w.state, w.version, w.places, w.busy, w.started_at, w.seen_at, w.draining_at,
       (select coalesce(jsonb_agg(jsonb_build_object('job_id', j.id, 'record_id', j.record_id, 'project', p.code,
            'external_ref', j.external_ref, 'attempt', a.attempt, 'started_at', a.started_at) order by a.started_at), '[]')
          from automation_attempt as a join automation_job as j on j.id = a.job_id join project as p on p.id = j.project_id
         where a.ended_at is null and a.worker = w.worker and j.project_id = any(%(projects)s)) as runs
  from ops.workers as w
 where w.state <> 'ended'
 order by array_position('{alive,draining,lost}', w.state), w.started_at desc, w.worker;

-- name: throughput :many
-- What came and went, in pieces of `step_s` seconds up to now; the row without `at` is of all of them together.
-- Where the first begins is written out where it is compared: the planner guesses a third of all rows for a subquery's value.
-- A month may hold a million attempts, and sorting them for each percentile would take seconds: one scan counts them by how long they
-- took, in classes a twentieth of an e-fold wide, and a percentile is the mean of the class it falls into, right to within five in a hundred.
with pieces as (
    select generate_series(date_bin(make_interval(secs => %(step_s)s), now(), 'epoch') - make_interval(secs => %(step_s)s * (%(steps)s - 1)),
                           now(), make_interval(secs => %(step_s)s)) as at
    union all select null),
came as materialized (
    select date_bin(make_interval(secs => %(step_s)s), r.received_at, 'epoch') as at, count(*) as n
      from asbuilt_record as r
     where r.project_id = any(%(projects)s) and r.deleted_at is null and r.received_at
           >= date_bin(make_interval(secs => %(step_s)s), now(), 'epoch') - make_interval(secs => %(step_s)s * (%(steps)s - 1))
     group by 1),
went as materialized (
    select date_bin(make_interval(secs => %(step_s)s), a.ended_at, 'epoch') as at, a.outcome,
           round(20 * ln(greatest(date_part('epoch', a.started_at - a.queued_at), 0.001)))::int as pickup_class,
           round(20 * ln(greatest(date_part('epoch', a.ended_at - a.started_at), 0.001)))::int as run_class,
           count(*) as n, sum(date_part('epoch', a.started_at - a.queued_at)) as pickup,
           sum(date_part('epoch', a.ended_at - a.started_at)) as run
      from automation_attempt as a
     where a.project_id = any(%(projects)s) and a.ended_at
           >= date_bin(make_interval(secs => %(step_s)s), now(), 'epoch') - make_interval(secs => %(step_s)s * (%(steps)s - 1))
     group by 1, 2, 3, 4),
classes as (
    select at, 'pickup' as of, pickup_class as class, sum(n) as n, sum(pickup) / sum(n) as took
      from went where pickup_class is not null group by grouping sets ((at, pickup_class), (pickup_class))
    union all
    select at, 'run', run_class, sum(n), sum(run) / sum(n)
      from went where outcome = 'completed' group by grouping sets ((at, run_class), (run_class))),
ranked as (
    select at, of, took, sum(n) over (partition by at, of order by class) as upto, sum(n) over (partition by at, of) as n from classes),
waits as (
    select at, min(took) filter (where of = 'pickup' and upto >= 0.5 * n) as pickup_p50_s,
           min(took) filter (where of = 'pickup' and upto >= 0.95 * n) as pickup_p95_s,
           min(took) filter (where of = 'run' and upto >= 0.5 * n) as run_p50_s,
           min(took) filter (where of = 'run' and upto >= 0.95 * n) as run_p95_s
      from ranked group by at),
ended as (
    select at, sum(n) filter (where outcome = 'completed')::bigint as completed, sum(n) filter (where outcome = 'failed')::bigint as failed,
           sum(n) filter (where outcome = 'lost')::bigint as lost
      from went group by grouping sets ((at), ())),
uploaded as (
    select at, sum(n)::bigint as n from came group by grouping sets ((at), ()))
select p.at, coalesce(u.n, 0) as uploads, coalesce(e.completed, 0) as completed, coalesce(e.failed, 0) as failed,
       coalesce(e.lost, 0) as lost, w.pickup_p50_s, w.pickup_p95_s, w.run_p50_s, w.run_p95_s
  from pieces as p
  left join uploaded as u on u.at is not distinct from p.at
  left join ended as e on e.at is not distinct from p.at
  left join waits as w on w.at is not distinct from p.at
 order by p.at nulls last;

-- name: questions :many
-- Jobs that wait for a person, the most urgent first; `outcome`: nobody could prove whether the portal took the record.
select j.id as job_id, j.record_id, p.code as project, j.external_ref, r.asset_key, a.portal_key as portal,
       coalesce(i.kind, 'outcome') as kind, left(coalesce(i.prompt, j.error_message, ''), 500) as prompt,
       coalesce(i.asked_at, j.changed_at) as asked_at, i.expires_at
  from automation_job as j
  join project as p on p.id = j.project_id
  join portal_account as a on a.id = j.account_id
  join asbuilt_record as r on r.id = j.record_id
  left join lateral (
       select kind, prompt, asked_at, expires_at from automation_input as o
        where o.job_id = j.id and o.outcome is null order by o.asked_at desc limit 1) as i on true
 where j.project_id = any(%(projects)s) and j.state = 'needs_input'
 order by i.expires_at nulls last, j.changed_at, j.id
 limit %(limit)s;

-- name: audit :many
-- A page of people's acts, newest first: in the caller's projects, and on the portal accounts that these use.
with acts as (
    select mine.* from unnest(%(projects)s::uuid[]) as of (project_id) cross join lateral (
        select e.* from audit_event as e
         where e.project_id = of.project_id and e.action <> 'record.upload' and e.id < %(before)s
           and (%(actor)s::text is null or strpos(lower(e.actor), lower(%(actor)s)) > 0)
           and (%(action)s::text is null or starts_with(e.action, %(action)s))
           and (%(record)s::uuid is null or e.record_id = %(record)s)
           and (%(since)s::timestamptz is null or e.at >= %(since)s) and (%(until)s::timestamptz is null or e.at < %(until)s)
         order by e.id desc limit %(limit)s) as mine
    union all
    (select e.* from audit_event as e
      where e.project_id is null and e.action <> 'record.upload' and e.id < %(before)s and %(record)s::uuid is null
        and (%(actor)s::text is null or strpos(lower(e.actor), lower(%(actor)s)) > 0)
        and (%(action)s::text is null or starts_with(e.action, %(action)s))
        and (%(since)s::timestamptz is null or e.at >= %(since)s) and (%(until)s::timestamptz is null or e.at < %(until)s)
        and exists (select from project as u join portal_account as pa on pa.id = u.portal_account_id
                     where u.id = any(%(projects)s) and pa.portal_key = e.after ->> 'portal'
                       and pa.label = coalesce(e.after ->> 'account', pa.label))
      order by e.id desc limit %(limit)s))
select a.id, a.at, a.actor, a.action, a.reason, p.code as project, a.record_id, r.external_ref, r.asset_key, a.job_id, a.before,
       a.after
  from acts as a
  left join project as p on p.id = a.project_id
  left join asbuilt_record as r on r.id = a.record_id
 order by a.id desc
 limit %(limit)s;
