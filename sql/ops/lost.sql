-- Is anything lost? Every promise that does not hold at this moment, with what to do. No row: nothing is.
--
--     psql -f lost.sql
--     psql -v grace=0 -f lost.sql      also what the next sweep is about to mend
\set ON_ERROR_STOP on
\if :{?grace} \else \set grace 60 \endif
select rule, sentence, hint, job_id as job, record_id as record from ops.doctor(:grace) order by rule, job_id;
select count(*) filter (where state = 'completed') as completed, count(*) filter (where state = 'failed') as failed,
       count(*) filter (where state = 'cancelled') as cancelled,
       count(*) filter (where state not in ('completed', 'failed', 'cancelled')) as live, count(*) as jobs
  from ops.jobs;
