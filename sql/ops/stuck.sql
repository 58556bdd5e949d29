-- What is stuck, why, and what lets it go on.
--
--     psql -f stuck.sql                       all projects
--     psql -v project=demo -f stuck.sql       one
--
-- Empty on a good day. Each row's hint is the next thing to look at, or to do.
\set ON_ERROR_STOP on
\if :{?project} \else \set project '' \endif
select external_ref, project, state, date_trunc('second', age) as for_so_long, why, hint, id as job
  from ops.stuck
 where :'project' in ('', project)
 order by since
 limit 100;
