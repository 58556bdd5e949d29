-- Records as lists find them. Each statement gets the caller's projects, and a filter as record_lines() reads it.

-- name: list_records :many replanned
-- A page of the records that match, newest first.
select record_row(r) as row, l.received_at, l.record_id as id
  from (select m.received_at, m.record_id
          from record_lines(%(projects)s, %(filter)s) as m
         where (m.received_at, m.record_id) < (%(at)s, %(after)s)
         order by m.received_at desc, m.record_id desc
         limit %(limit)s) as l
  join asbuilt_record as r on r.id = l.record_id
 order by l.received_at desc, l.record_id desc;

-- name: count_records :one replanned
-- How many match from a place in the list on, counted up to a limit.
select count(*) as count
  from (select from record_lines(%(projects)s, %(filter)s) as m
         where (m.received_at, m.record_id) < (%(at)s, %(after)s)
         limit %(limit)s) as found;

-- name: stats :one
-- The numbers on top of the page. Days are those of each project's time zone.
with day as (select id as project_id, date_trunc('day', now() at time zone tz) at time zone tz as began
               from project where id = any(%(projects)s)),
     run as (select r.s
               from day cross join lateral (
                   select extract(epoch from a.ended_at - a.started_at) as s
                     from (select id, attempt from automation_job
                            where project_id = day.project_id and state = 'completed' and finished_at >= day.began
                            order by finished_at desc limit 500) as j
                     join automation_attempt as a on a.job_id = j.id and a.attempt = j.attempt and a.outcome = 'completed') as r)
select (select coalesce(jsonb_object_agg(state, n), '{}') from (
            select state, count(*) as n from automation_job
             where project_id = any(%(projects)s) and state not in ('completed', 'cancelled') group by state) as s) as by_state,
       (select coalesce(sum(n), 0) from day cross join lateral (
            select count(*) as n from record_line as l
             where l.project_id = day.project_id and l.received_at >= day.began) as r)::int as received_today,
       (select coalesce(sum(n), 0) from day cross join lateral (
            select count(*) as n from automation_job as j
             where j.project_id = day.project_id and j.state = 'completed' and j.finished_at >= day.began) as r)::int as completed_today,
       (select percentile_cont(0.5) within group (order by s) from run)::float8 as median_run_s;
