-- Portal accounts as a caller may see them: those of its projects.

-- name: portals :many
-- How much each bears, who is in, who waits, and what keeps them out.
select portal, name, account, max_runs, open_to, taken, waiting, starts_per_minute, next_start_at, paused_as, paused_reason,
       paused_by, paused_at, breaker, breaker_reason, next_probe_at,
       exists (
    select from project as p join portal_account as a on a.id = p.portal_account_id
     where p.id = any(%(operated)s) and a.portal_key = v.portal and a.label = v.account) as operated
  from ops.portals as v
 where exists (
    select from project as p join portal_account as a on a.id = p.portal_account_id
     where p.id = any(%(projects)s) and a.portal_key = v.portal and a.label = v.account)
 order by portal, account;

-- name: pause_portal :one
-- A person's pause; the operators' own function.
select ops.pause_portal(%(portal)s, why_given(%(reason)s), %(account)s) as accounts;

-- name: resume_portal :one
-- A person's resume; the operators' own function.
select ops.resume_portal(%(portal)s, why_given(%(reason)s), %(account)s) as accounts;

-- name: set_limit :one
-- A person's limits; the operators' own function.
select ops.set_limit(%(portal)s, %(max_runs)s, why_given(%(reason)s), %(account)s, %(starts_per_minute)s) as accounts;
