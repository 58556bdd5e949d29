-- ops.doctor on attempts: the open one of a job that is processing, under a lease that somebody renews.
create or replace function doctor_attempts(p_grace_s float8)
returns table (rule text, job_id uuid, record_id uuid, sentence text, hint text) language sql stable as $$
    select 'J2', j.id, j.record_id, format('attempt %s is open and the job is %s at attempt %s', a.attempt, j.state, j.attempt),
           'its lease will run out, and the sweep closes it'
      from automation_attempt as a join automation_job as j on j.id = a.job_id
     where a.ended_at is null and (j.state <> 'processing' or j.attempt <> a.attempt)
    union all
    select 'J2', j.id, j.record_id, format('the job is processing and attempt %s is not open', j.attempt),
           'nobody works on it; it was edited by hand'
      from automation_job as j
     where j.state = 'processing' and not exists (
        select from automation_attempt as a where a.job_id = j.id and a.attempt = j.attempt and a.ended_at is null)
    union all
    select 'J2', j.id, j.record_id, format('attempt %s lost its lease %s and nobody took over', a.attempt, a.lease_until),
           'is a worker alive?'
      from automation_attempt as a join automation_job as j on j.id = a.job_id
     where a.ended_at is null and a.lease_until < clock_timestamp() - make_interval(secs => p_grace_s)
    union all
    select 'J2', j.id, j.record_id,
           format('%s attempts numbered to %s, %s of them failed; the job counts %s and %s', n, last, failed, j.attempt, j.failures),
           'attempts were edited by hand'
      from automation_job as j cross join lateral (
        select count(*) as n, coalesce(max(attempt), 0) as last, count(*) filter (where outcome = 'failed') as failed
          from automation_attempt as a where a.job_id = j.id) as made
     where n <> last or last <> j.attempt or failed < j.failures
    union all
    select 'J2', j.id, j.record_id, format('step %s runs in attempt %s, which has ended', s.key, s.attempt),
           'update automation_step'
      from automation_step as s
      join automation_attempt as a on a.job_id = s.job_id and a.attempt = s.attempt
      join automation_job as j on j.id = s.job_id
     where s.state = 'running' and a.ended_at is not null
$$;
