-- Jobs as a caller may see them: of its projects, or of its own device.

-- name: get_job :opt
-- One job.
select job_view(j) as view, j.project_id, j.attempt
  from automation_job as j
 where j.id = %(id)s and (j.project_id = any(%(projects)s) or j.device_id = %(device)s);

-- name: jobs_of_record :many
-- All jobs a record ever had, newest first.
select job_view(j) as view, j.project_id, j.attempt
  from automation_job as j
 where j.record_id = %(record)s and (j.project_id = any(%(projects)s) or j.device_id = %(device)s)
 order by j.created_at desc, j.id desc;

-- name: jobs_of_project :many
-- A page of a project's jobs, newest first.
select job_view(j) as view, j.project_id, j.attempt
  from automation_job as j
 where j.project_id = %(project)s and (j.created_at, j.id) < (%(at)s, %(after)s)
 order by j.created_at desc, j.id desc
 limit %(limit)s;

-- name: jobs_of_project_in_state :many
-- The same, of one state.
select job_view(j) as view, j.project_id, j.attempt
  from automation_job as j
 where j.project_id = %(project)s and j.state = %(state)s and (j.created_at, j.id) < (%(at)s, %(after)s)
 order by j.created_at desc, j.id desc
 limit %(limit)s;

-- name: attempt_progress :opt
-- The checkpoint of an attempt's progress, for when the cache does not know it.
select progress from automation_attempt where job_id = %(job)s and attempt = %(attempt)s and progress is not null;

-- name: retry_job :one
-- A person's retry; the operators' own function.
select ops.retry(%(id)s, why_given(%(reason)s)) as view;

-- name: run_job_again :one
-- A person submits a completed record once more; the operators' own function.
select ops.run_again(%(id)s, %(reason)s, %(confirmation)s) as view;

-- name: cancel_job :one
-- A person's cancel; the operators' own function.
select ops.cancel(%(id)s, why_given(%(reason)s)) as view;

-- name: answer_outcome :one
-- A person's word on an open outcome; the operators' own function.
select ops.answer_outcome(%(id)s, %(submitted)s, %(confirmation)s, why_given(%(reason)s)) as view;

-- name: hold_job :one
-- A person puts a job on hold; the operators' own function.
select ops.hold(%(id)s, why_given(%(reason)s)) as view;

-- name: release_job :one
-- A person lets it go on; the operators' own function.
select ops.release(%(id)s, why_given(%(reason)s)) as view;

-- name: attempts_of_job :many
-- Every attempt of a job, newest first.
select attempt_view(a) as view, a.progress, a.traceback, a.log, a.exchange
  from automation_attempt as a where a.job_id = %(job)s order by a.attempt desc;

-- name: find_artifact :opt
-- A picture of a job, if the caller may see the job.
select a.blob_sha256, b.type, b.size
  from artifact as a join blob as b on b.sha256 = a.blob_sha256 join automation_job as j on j.id = a.job_id
 where a.id = %(id)s and a.job_id = %(job)s and (j.project_id = any(%(projects)s) or j.device_id = %(device)s);

-- name: recipe_of_job :opt
-- What a job's history is compared by, if the caller may see the job.
select j.project_id, j.account_id, p.recipe_version
  from automation_job as j join portal_account as a on a.id = j.account_id join portal as p on p.key = a.portal_key
 where j.id = %(id)s and (j.project_id = any(%(projects)s) or j.device_id = %(device)s);

-- name: step_pace :many
-- How long the steps of a recipe took in the latest runs that went through; steps taken over from an earlier run took nothing.
with done as (
    select id, attempt from automation_job
     where project_id = %(project_id)s and state = 'completed' and account_id = %(account_id)s
     order by finished_at desc
     limit 200)
select s.key, max(s.index) as index, count(*)::int as runs,
       percentile_cont(0.5) within group (order by extract(epoch from s.ended_at - s.started_at))::float8 as p50_s,
       percentile_cont(0.9) within group (order by extract(epoch from s.ended_at - s.started_at))::float8 as p90_s
  from done join automation_step as s on s.job_id = done.id and s.attempt = done.attempt
 where s.state = 'confirmed' and not s.resumed and s.recipe_version = %(recipe_version)s
 group by s.key
 order by max(s.index), s.key;
