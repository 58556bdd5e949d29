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

-- name: settle_sooner :exec
-- Believe the portal's "there is none" so many seconds after an intent: its timings are scaled down too.
update portal set settle_s = %(settle_s)s;
