-- What a worker does with a job: claim, follow, settle. Every write is fenced by the attempt.

-- name: claim :opt
-- The next attempt of a job, if this queue row is still its own.
select j.id, j.record_id, j.project_id, j.device_id, j.attempt, j.generation, j.external_ref,
       a.portal_key, a.label as account, p.recipe, p.recipe_version, p.engine, p.engine_config,
       s.state as submission, s.confirmation,
       array(select f.confirmation from portal_submission as f
              where f.job_id = j.id and f.state = 'confirmed' and f.external_ref <> j.external_ref) as former,
       j.interruptions >= 2 as suspect,
       case when j.failures >= j.max_attempts then 'attempts' when j.interruptions >= 3 then 'interruptions' end as spent,
       p.approval or project.approval as approval,
       exists (select from automation_run as r where r.job_id = j.id and r.generation = j.generation) as begun,
       before.error_code as last_code, before.error_step as last_step, before.error_action as last_action
  from claim_attempt(%(job)s, %(queue_job)s, %(worker)s, %(lease_s)s) as j
  join portal_account as a on a.id = j.account_id
  join portal as p on p.key = a.portal_key
  join project on project.id = j.project_id
  left join portal_submission as s on s.portal_key = a.portal_key and s.external_ref = j.external_ref
  left join lateral (select error_code, error_step, error_action from automation_attempt as t
                      where t.job_id = j.id and t.attempt > j.attempts_before
                        and t.error_code <> 'SUBMIT_OUTCOME_UNKNOWN' order by t.attempt desc limit 1) as before on true;

-- name: begin_alone :exec
-- The attempt runs alone from now on; nothing when it is over.
update automation_attempt set waits = false where job_id = %(job)s and attempt = %(attempt)s and ended_at is null;

-- name: unrendered_photos :many
-- Photos of a record in formats that portals do not take, and of which no JPEG was made yet.
select p.name, p.blob_sha256 as sha256
  from photo as p join blob as b on b.sha256 = p.blob_sha256
 where p.record_id = %(record)s and b.type in ('image/heic', 'image/webp') and p.rendition_sha256 is null
 order by p.name;

-- name: keep_rendition :exec
-- The first one made stays: runs that were begun send it.
update photo set rendition_sha256 = keep_blob(%(rendition)s, %(size)s, 'image/jpeg')
 where record_id = %(record)s and name = %(name)s and blob_sha256 = %(sha256)s and rendition_sha256 is null;

-- name: run_inputs :one
-- What is to be keyed.
select r.fields, r.form_key, r.asset_key, r.lat, r.lon, r.captured_at,
       (select coalesce(jsonb_agg(jsonb_build_object('name', p.name, 'shot', p.shot_key,
            'sha256', encode(b.sha256, 'hex'), 'size', b.size, 'type', b.type) order by p.shot_key, p.name), '[]')
          from photo as p join blob as b on b.sha256 = coalesce(p.rendition_sha256, p.blob_sha256)
         where p.record_id = r.id) as photos
  from asbuilt_record as r where r.id = %(record)s;

-- name: attach_run :one
-- The attempt follows this run; the event after which to go on.
select attach_run(%(job)s, %(attempt)s, %(generation)s, %(run_id)s, %(last_seq)s) as after;

-- name: confirmed_steps :many
-- What earlier runs have saved at the portal for this submission, under this version of the recipe and since the last intent: the
-- latest attempt's steps, which hold what it took over itself. A step without a hash cannot be compared: one from before a correction is
-- keyed anew, or the portal would get the old content.
select s.key, s.outputs, s.input_hash
  from automation_step as s
 where s.job_id = %(job)s and s.state = 'confirmed' and s.recipe_version = %(recipe_version)s
   and (s.input_hash <> '' or exists (
       select from automation_attempt as t join automation_job as j on j.id = t.job_id
        where t.job_id = s.job_id and t.attempt = s.attempt
          and t.started_at >= (select max(v.at) from record_revision as v where v.record_id = j.record_id)))
   and s.attempt = (
       select max(t.attempt) from automation_step as t
        where t.job_id = %(job)s and t.attempt < %(attempt)s and t.state = 'confirmed'
          and t.attempt > coalesce((select max(i.attempt) from portal_submission as i where i.job_id = %(job)s), 0)
          and t.attempt > (select j.attempts_before from automation_job as j where j.id = %(job)s))
 order by s.index;

-- name: begin_step :exec
-- A step begins; nothing when the attempt is over. One that was taken over is keyed anew, and all that came after it will be.
with attempt as (
    select job_id, attempt from automation_attempt
     where job_id = %(job)s and attempt = %(attempt)s and ended_at is null),
heard as (
    update automation_run as r set last_seq = greatest(r.last_seq, %(seq)s) from attempt as a
     where r.job_id = a.job_id and r.generation = %(generation)s and r.attempt = a.attempt),
anew as (
    delete from automation_step as s using attempt as a, automation_step as t
     where s.job_id = a.job_id and s.attempt = a.attempt and s.resumed and s.index > %(index)s
       and t.job_id = a.job_id and t.attempt = a.attempt and t.key = %(key)s and t.resumed and t.state = 'confirmed')
insert into automation_step (job_id, attempt, key, index, total, label, state, recipe_version)
select job_id, attempt, %(key)s, %(index)s, %(total)s, %(label)s, 'running', %(recipe_version)s from attempt
on conflict (job_id, attempt, key) do update
   set state = 'running', started_at = clock_timestamp(), ended_at = null, resumed = false, outputs = '{}';

-- name: resume_step :exec
-- A step that an earlier run has saved is passed over; nothing when the attempt is over.
insert into automation_step (job_id, attempt, key, index, total, label, state, outputs, ended_at, resumed, input_hash,
                             recipe_version)
select job_id, attempt, %(key)s, %(index)s, %(total)s, %(label)s, 'confirmed', %(outputs)s, clock_timestamp(), true,
       %(input_hash)s, %(recipe_version)s
  from automation_attempt where job_id = %(job)s and attempt = %(attempt)s and ended_at is null
on conflict (job_id, attempt, key) do update set outputs = excluded.outputs, input_hash = excluded.input_hash;

-- name: confirm_step :exec
-- The portal has saved a step; nothing when the attempt is over.
with attempt as (
    select job_id, attempt from automation_attempt
     where job_id = %(job)s and attempt = %(attempt)s and ended_at is null),
heard as (
    update automation_run as r set last_seq = greatest(r.last_seq, %(seq)s) from attempt as a
     where r.job_id = a.job_id and r.generation = %(generation)s and r.attempt = a.attempt)
update automation_step as s
   set state = 'confirmed', ended_at = clock_timestamp(), outputs = %(outputs)s, input_hash = %(input_hash)s
  from attempt as a
 where s.job_id = a.job_id and s.attempt = a.attempt and s.key = %(key)s;

-- name: checkpoint :exec
-- Progress for when the cache does not know it, and the log so far; nothing when the attempt is over.
with heard as (
    update automation_run as r set last_seq = greatest(r.last_seq, %(seq)s) from automation_attempt as a
     where a.job_id = %(job)s and a.attempt = %(attempt)s and a.ended_at is null
       and r.job_id = a.job_id and r.generation = %(generation)s and r.attempt = a.attempt)
update automation_attempt set progress = %(progress)s, progress_at = clock_timestamp(), log = %(log)s
 where job_id = %(job)s and attempt = %(attempt)s and ended_at is null;

-- name: keep_exchange :exec
-- What an attempt keyed, or what the portal showed of it; nothing when the attempt is over.
update automation_attempt set exchange = exchange || %(said)s
 where job_id = %(job)s and attempt = %(attempt)s and ended_at is null;

-- name: keep_log :exec
-- What an attempt logged to its end. A lost one writes nothing any more; its log is that of its last checkpoint.
update automation_attempt set log = %(log)s
 where queue_job_id = %(queue_job)s and worker = %(worker)s and outcome is distinct from 'lost';

-- name: add_artifact :opt
-- A picture of a step, once an event of the run; no row when the attempt is over.
with attempt as (
    select job_id, attempt from automation_attempt
     where job_id = %(job)s and attempt = %(attempt)s and ended_at is null),
heard as (
    update automation_run as r set last_seq = greatest(r.last_seq, %(heard)s) from attempt as a
     where r.job_id = a.job_id and r.generation = %(generation)s and r.attempt = a.attempt)
insert into artifact (job_id, attempt, step, kind, blob_sha256, run_id, run_seq)
select job_id, attempt, %(step)s, 'screenshot', keep_blob(%(sha256)s, %(size)s, %(type)s), %(run_id)s, %(seq)s from attempt
on conflict (run_id, run_seq) do update set step = excluded.step
returning id;

-- name: record_intent :one
-- Transaction A of the submission.
select record_intent(%(job)s, %(attempt)s) as done;

-- name: refute_intent :exec
-- Nothing was submitted.
select refute_intent(%(job)s, %(attempt)s, %(evidence)s);

-- name: hold_commit :one
-- Transaction B of the submission; the caller keeps it open.
select hold_commit(%(job)s, %(attempt)s, %(hold_s)s) as done;

-- name: note_observed :exec
-- What the portal answered to the request, kept beside the intent.
update portal_submission set evidence = %(evidence)s where job_id = %(job)s and attempt = %(attempt)s and state = 'intent';

-- name: settle_verifying :one
-- The outcome is open; what the job is now.
select settle_verifying(%(job)s, %(attempt)s, %(error)s, %(spends)s, %(run_over)s, %(blind)s, %(look_s)s, %(verify_s)s) as state;

-- name: settle_absent :one
-- A look-up found nothing; whether that can be believed by now.
select settle_absent(%(job)s, %(attempt)s, %(as_of)s) as done;

-- name: report_rejection :exec
-- What the portal said against the record.
select report_rejection(%(job)s, %(attempt)s, %(findings)s);

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

-- name: flush_log :exec
-- What was committed without waiting for the disk is on it when this is answered.
select pg_logical_emit_message(true, 'asbuilt.flush', '');

-- name: turned_away :one
-- Whether a job whose queue row was refused waits for its portal account again.
select exists (select from automation_job where id = %(job)s and state in ('queued', 'held') and wait_reason is not null) as done;

-- name: reserve_start :one
-- When the account lets this attempt start its run.
select reserve_start(%(job)s, %(attempt)s) as wait_s;

-- name: promote_probes :exec
-- One job tries each portal whose breaker has been open for long enough.
select promote_probes();

-- name: promote_due :one
-- Make due retries runnable, and end questions that nobody answered.
select least(promote_due(), expire_inputs()) as next_s;

-- name: renew_lease :opt
-- Go on holding an attempt; no row when it is over. Touches the attempt only: a submission holds its job locked.
update automation_attempt as a set lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
  from automation_job as j
 where a.job_id = %(job)s and a.attempt = %(attempt)s and a.ended_at is null and j.id = a.job_id
returning j.cancel_requested_at is not null as cancel_requested;

-- name: settle_cancelled :one
-- The run was stopped as a person asked.
select settle_cancelled(%(job)s, %(attempt)s) as done;

-- name: compare_photos :one
-- So many new photos beside those of other records; how many. None while another worker is at it.
select compare_photos(%(most)s) as done;

-- name: reconcile :many
-- One sweep over what lost workers left; nothing while another worker sweeps.
select kind, job_id from reconcile(%(grace_s)s);

-- name: worker_seen :exec
-- A worker is there; those that were last seen a day ago are forgotten.
with gone as (
    delete from worker where seen_at < now() - interval '1 day' and name <> %(worker)s)
insert into worker (name, version, places, beat_s, draining_at)
values (%(worker)s, %(version)s, %(places)s, %(beat_s)s, case when %(draining)s then clock_timestamp() end)
on conflict (name) do update
   set version = excluded.version, places = excluded.places, beat_s = excluded.beat_s, seen_at = excluded.seen_at, ended_at = null,
       started_at = case when %(begins)s then excluded.started_at else worker.started_at end,
       draining_at = case when %(draining)s then coalesce(worker.draining_at, excluded.draining_at) end;

-- name: worker_ended :exec
-- A worker ends of its own accord.
update worker set seen_at = clock_timestamp(), ended_at = clock_timestamp() where name = %(worker)s;

-- name: retention_turn :many
-- The retention policies and the rows of a batch of each, when this worker has the next round; no row when another one had it a moment ago. Files and the bytes
-- of uploads are not a worker's: web processes have them.
with mine as (
    insert into turn (name, next_at) values ('retention', now() + make_interval(secs => %(pause_s)s))
    on conflict (name) do update set next_at = excluded.next_at where turn.next_at <= now()
    returning next_at)
select r.what, r.outcome, r.batch from retention as r, mine where r.enabled and r.what not in ('file', 'upload') order by r.what, r.outcome;

-- name: retain :one
-- One batch of one retention policy, of so many rows.
select removed, took_ms, more, next_batch from retain(%(what)s, %(outcome)s, %(begins)s, %(batch)s);
