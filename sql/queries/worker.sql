-- What a worker does with a job: claim, follow, settle. Every write is fenced by the attempt.

-- name: claim :opt
-- The next attempt of a job, if this queue row is still its own.
select j.id, j.record_id, j.project_id, j.device_id, j.attempt, j.generation, j.external_ref,
       a.portal_key, a.label as account, p.recipe, p.recipe_version, p.engine, p.engine_config,
       s.state as submission, s.confirmation,
       j.interruptions >= 2 as suspect
  from claim_attempt(%(job)s, %(queue_job)s, %(worker)s, %(lease_s)s) as j
  join portal_account as a on a.id = j.account_id
  join portal as p on p.key = a.portal_key
  left join portal_submission as s on s.portal_key = a.portal_key and s.external_ref = j.external_ref;

-- name: begin_alone :exec
-- The attempt runs alone from now on; nothing when it is over.
update automation_attempt set waits = false where job_id = %(job)s and attempt = %(attempt)s and ended_at is null;

-- name: run_inputs :one
-- What is to be keyed.
select r.fields, r.form_key, r.asset_key, r.lat, r.lon, r.captured_at,
       (select coalesce(jsonb_agg(jsonb_build_object('name', p.name, 'shot', p.shot_key,
            'sha256', encode(p.blob_sha256, 'hex'), 'size', b.size, 'type', b.type) order by p.shot_key, p.name), '[]')
          from photo as p join blob as b on b.sha256 = p.blob_sha256 where p.record_id = r.id) as photos
  from asbuilt_record as r where r.id = %(record)s;

-- name: note_run :exec
-- The service's run of a job's generation.
insert into automation_run (job_id, generation, run_id) values (%(job)s, %(generation)s, %(run_id)s)
on conflict (job_id, generation) do update set run_id = excluded.run_id;

-- name: begin_step :exec
-- A step begins; nothing when the attempt is over.
insert into automation_step (job_id, attempt, key, index, total, label, state)
select job_id, attempt, %(key)s, %(index)s, %(total)s, %(label)s, 'running'
  from automation_attempt where job_id = %(job)s and attempt = %(attempt)s and ended_at is null
on conflict (job_id, attempt, key) do update set state = 'running', ended_at = null;

-- name: confirm_step :exec
-- The portal has saved a step; nothing when the attempt is over.
update automation_step as s set state = 'confirmed', ended_at = clock_timestamp(), outputs = %(outputs)s
  from automation_attempt as a
 where s.job_id = %(job)s and s.attempt = %(attempt)s and s.key = %(key)s
   and a.job_id = s.job_id and a.attempt = s.attempt and a.ended_at is null;

-- name: checkpoint :exec
-- Progress for when the cache does not know it, and the log so far; nothing when the attempt is over.
update automation_attempt set progress = %(progress)s, progress_at = clock_timestamp(), log = %(log)s
 where job_id = %(job)s and attempt = %(attempt)s and ended_at is null;

-- name: keep_log :exec
-- What an attempt logged to its end. A lost one writes nothing any more; its log is that of its last checkpoint.
update automation_attempt set log = %(log)s
 where queue_job_id = %(queue_job)s and worker = %(worker)s and outcome is distinct from 'lost';

-- name: add_artifact :opt
-- A picture of a step; no row when the attempt is over.
with kept as (
    insert into blob (sha256, size, type) values (%(sha256)s, %(size)s, %(type)s) on conflict (sha256) do nothing)
insert into artifact (job_id, attempt, step, kind, blob_sha256)
select job_id, attempt, %(step)s, 'screenshot', %(sha256)s
  from automation_attempt where job_id = %(job)s and attempt = %(attempt)s and ended_at is null
returning id;

-- name: record_intent :one
-- Transaction A of the submission.
select record_intent(%(job)s, %(attempt)s) as done;

-- name: refute_intent :exec
-- Nothing was submitted.
select refute_intent(%(job)s, %(attempt)s, %(evidence)s);

-- name: settle_completed :one
-- The portal has the record.
select settle_completed(%(job)s, %(attempt)s, %(confirmation)s, %(how)s, %(portal_url)s) as done;

-- name: settle_failed :one
-- The attempt failed; what the job is now.
select settle_failed(%(job)s, %(attempt)s, %(error)s, %(again)s, %(spends)s, %(run_over)s, %(base_s)s, %(wait_s)s) as state;

-- name: settle_parked :one
-- A person is needed.
select settle_parked(%(job)s, %(attempt)s, %(wait_reason)s, %(error)s) as done;

-- name: settle_detached :one
-- The worker stops; a successor goes on.
select settle_detached(%(job)s, %(attempt)s) as done;

-- name: promote_due :one
-- Make due retries runnable.
select promote_due() as next_s;

-- name: renew_lease :opt
-- Go on holding an attempt; no row when it is over. Touches the attempt only: a submission holds its job locked.
update automation_attempt as a set lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
  from automation_job as j
 where a.job_id = %(job)s and a.attempt = %(attempt)s and a.ended_at is null and j.id = a.job_id
returning j.cancel_requested_at is not null as cancel_requested;

-- name: settle_cancelled :one
-- The run was stopped as a person asked.
select settle_cancelled(%(job)s, %(attempt)s) as done;

-- name: reconcile :many
-- One sweep over what lost workers left; nothing while another worker sweeps.
select kind, job_id from reconcile(%(grace_s)s);
