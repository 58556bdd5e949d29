-- Questions on the worker's side: what became of one, and parking a job behind it.

-- name: input_of_run :opt
-- What became of a run's question; no row when it was never put to a person.
select id, outcome, answer_cipher from automation_input
 where job_id = %(job)s and generation = %(generation)s and run_input_id = %(run_input)s;

-- name: input_used :exec
-- The run has taken the answer: it is kept no longer.
update automation_input set outcome = 'used', answer_cipher = null where id = %(id)s and outcome = 'answered';

-- name: input_reopened :exec
-- The run refused the answer and still waits: the question is open again, and the answer forgotten. The audit keeps who gave it.
update automation_input set outcome = null, answer_cipher = null, answered_at = null, answered_by = null
 where id = %(id)s and outcome = 'answered';

-- name: approved :one
-- Whether a person has approved exactly this for this record's revision.
select exists (select from automation_input as i
                where i.job_id = %(job)s and i.kind = 'approval' and i.outcome = 'approved' and i.detail = %(detail)s) as done;

-- name: last_input :opt
-- What became of the run's last question, unless the run has its answer.
select coalesce(i.outcome, 'expired') as outcome from automation_input as i
 where i.job_id = %(job)s and i.generation = %(generation)s and i.run_input_id is not null
   and i.outcome is distinct from 'used'
 order by i.asked_at desc limit 1;

-- name: settle_asked :one
-- Ask a person, and end the attempt with it.
select settle_asked(%(job)s, %(attempt)s, %(question)s, %(error)s) as done;

-- name: keep_frame :opt
-- The picture of a page that asks; no row when the attempt is over.
insert into artifact (job_id, attempt, step, kind, blob_sha256)
select job_id, attempt, %(step)s, 'screenshot', keep_blob(%(sha256)s, %(size)s, %(type)s)
  from automation_attempt where job_id = %(job)s and attempt = %(attempt)s and ended_at is null
returning id;
