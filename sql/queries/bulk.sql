-- Bulk acts: the jobs they are for, and the operators' own function that does it.

-- name: jobs_named :many
-- Those of these jobs that the caller may see.
select j.id as job_id, j.project_id, j.record_id, r.received_at
  from automation_job as j join asbuilt_record as r on r.id = j.record_id
 where j.id = any(%(jobs)s) and j.project_id = any(%(projects)s);

-- name: jobs_matching :many replanned
-- The latest jobs of the next records that match, in the list's order.
select j.id as job_id, l.project_id, l.record_id, l.received_at
  from (select m.project_id, m.record_id, m.received_at
          from record_lines(%(projects)s, %(filter)s) as m
         where (m.received_at, m.record_id) < (%(at)s, %(after)s)
         order by m.received_at desc, m.record_id desc
         limit %(limit)s) as l
 cross join lateral (select id from automation_job where record_id = l.record_id order by created_at desc limit 1) as j
 order by l.received_at desc, l.record_id desc;

-- name: act :many
-- One act on some jobs.
select job_id, outcome, message, view from ops.bulk(%(action)s, %(jobs)s, why_given(%(reason)s));
