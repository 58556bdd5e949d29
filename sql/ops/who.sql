-- Who did what, and why: the newest acts first.
--
--     psql -f who.sql                                   the last 24 hours, without the uploads
--     psql -v actor=maria -v hours=72 -f who.sql        of somebody whose login or program contains maria
--     psql -v job=0197… -f who.sql                      on one job, however long ago; hours=… bounds it
\set ON_ERROR_STOP on
\if :{?actor} \else \set actor '' \endif
\if :{?hours} \elif :{?job} \set hours '' \else \set hours 24 \endif
\if :{?job} \else \set job '' \endif
select date_trunc('second', at) as at, actor, program, action, reason, project, external_ref,
       before ->> 'state' as was, after ->> 'state' as is_now, job_id as job
  from ops.audit
 where at > coalesce(now() - make_interval(hours => nullif(:'hours', '')::int), '-infinity')
   and action <> 'record.upload'
   and strpos(lower(concat_ws(' ', actor, program)), lower(:'actor')) > 0
   and (:'job' = '' or job_id = nullif(:'job', '')::uuid)
 order by id desc
 limit 200;
