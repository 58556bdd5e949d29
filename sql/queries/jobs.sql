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
select ops.retry(%(id)s, %(reason)s) as view;

-- name: cancel_job :one
-- A person's cancel; the operators' own function.
select ops.cancel(%(id)s, %(reason)s) as view;

-- name: answer_outcome :one
-- A person's word on an open outcome; the operators' own function.
select ops.answer_outcome(%(id)s, %(submitted)s, %(confirmation)s, %(reason)s) as view;

-- name: hold_job :one
-- A person puts a job on hold; the operators' own function.
select ops.hold(%(id)s, %(reason)s) as view;

-- name: release_job :one
-- A person lets it go on; the operators' own function.
select ops.release(%(id)s, %(reason)s) as view;

-- name: attempts_of_job :many
-- Every attempt of a job, newest first.
select attempt_view(a) as view, a.progress, a.traceback, a.log
  from automation_attempt as a where a.job_id = %(job)s order by a.attempt desc;

-- name: find_artifact :opt
-- A picture of a job, if the caller may see the job.
select a.blob_sha256, b.type, b.size
  from artifact as a join blob as b on b.sha256 = a.blob_sha256 join automation_job as j on j.id = a.job_id
 where a.id = %(id)s and a.job_id = %(job)s and (j.project_id = any(%(projects)s) or j.device_id = %(device)s);
