-- Questions on the people's side, as a caller may see them.

-- name: find_job :opt
-- The job, if the caller may see it.
select j.project_id from automation_job as j
 where j.id = %(job)s and (j.project_id = any(%(projects)s) or j.device_id = %(device)s);

-- name: inputs_of_job :many
-- All questions of a job, newest first.
select input_view(i) as view from automation_input as i where i.job_id = %(job)s order by i.asked_at desc, i.id;

-- name: find_input :opt
-- One question.
select input_view(i) as view, i.run_input_id is not null as held from automation_input as i
 where i.id = %(id)s and i.job_id = %(job)s;

-- name: answer_input :one
-- A person's answer.
select answer_input(%(job)s, %(id)s, %(cipher)s, %(decision)s, %(reason)s) as view;
