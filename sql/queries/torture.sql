-- What `asbuilt torture` watches and counts on its throw-away stack.

-- name: open_attempts :many
-- Attempts that run now.
select a.job_id, a.attempt, a.worker, j.external_ref as reference
  from automation_attempt as a join automation_job as j on j.id = a.job_id
 where a.ended_at is null and j.attempt = a.attempt;

-- name: tortured_jobs :many
-- Every job as it stands, with the number that was stored and how it became known.
select j.external_ref as reference, j.state, j.wait_reason, j.attempt, j.interruptions, j.error_code, j.confirmation,
       s.confirmed_by as how
  from automation_job as j
  join portal_account as a on a.id = j.account_id
  left join portal_submission as s on s.portal_key = a.portal_key and s.external_ref = j.external_ref;

-- name: keyable_records :many
-- Records with the recipe of their portal, for a client that keys them without any guard.
select r.id as record_id, r.external_ref as reference, a.portal_key as portal, a.label as account, p.recipe,
       p.recipe_version
  from asbuilt_record as r
  join project on project.id = r.project_id
  join portal_account as a on a.id = project.portal_account_id
  join portal as p on p.key = a.portal_key
 order by r.external_ref;

-- name: endure :exec
-- Scaled down like all timings: "there is none" is believed sooner. The breaker is for people whose portal may recover, and this one
-- never does; as many runs at once as there are workers, and a little more for those that are waited for.
with settled as (update portal set settle_s = %(settle_s)s)
update portal_account set max_runs = %(max_runs)s, breaker_failures = 1000000;
