-- What failed and why, in groups of one cause, the largest first; then the newest jobs of the largest.
--
--     psql -f failures.sql
--     psql -v portal=npl -f failures.sql
--
-- To retry a group: requeue.sql, with its fingerprint or code.
\set ON_ERROR_STOP on
\if :{?portal} \else \set portal '' \endif
select portal, project, code, step, message, jobs, retrying, date_trunc('second', last_at) as last_at, fingerprint
  from ops.failures
 where :'portal' in ('', portal)
 order by jobs desc, last_at desc
 limit 30;
select j.external_ref, j.state, j.error_code, j.error_message, j.finished_at, j.id as job
  from ops.jobs as j
 where j.state in ('failed', 'retrying')
   and j.fingerprint = (select fingerprint from ops.failures where :'portal' in ('', portal) order by jobs desc, last_at desc limit 1)
 order by j.finished_at desc nulls first
 limit 10;
