-- What keeps jobs from a portal: limits, pauses and breakers of every account.
--
--     psql -f portals.sql
--
-- To act: pause.sql, resume.sql, or select ops.set_limit('npl', 4, 'why').
\set ON_ERROR_STOP on
select portal, account, max_runs, open_to, taken, waiting, paused_as, paused_reason, paused_by, breaker, breaker_reason, next_probe_at
  from ops.portals
 order by waiting desc, portal, account;
