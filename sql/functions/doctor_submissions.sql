-- ops.doctor on submissions: completed means one confirmed submission under the job's number, failed and cancelled mean none,
-- and no job has more submissions than were asked for.
create or replace function doctor_submissions() returns table (rule text, job_id uuid, record_id uuid, sentence text, hint text)
language sql stable as $$
    select 'E3', j.id, j.record_id, format('the job is completed, and its submission is %s', coalesce(s.state, 'missing')),
           'look the reference up at the portal'
      from automation_job as j
      join portal_account as a on a.id = j.account_id
      left join portal_submission as s on s.portal_key = a.portal_key and s.external_ref = j.external_ref
     where j.state = 'completed' and (s.state is distinct from 'confirmed' or s.confirmation is distinct from j.confirmation)
    union all
    select 'E3', j.id, j.record_id, format('the job is %s, and its submission is %s', j.state, s.state),
           'look the reference up at the portal before anybody retries'
      from automation_job as j
      join portal_account as a on a.id = j.account_id
      join portal_submission as s on s.portal_key = a.portal_key and s.external_ref = j.external_ref
     where j.state in ('failed', 'cancelled') and s.state <> 'absent'
       and not exists (select from automation_job as other where other.id = s.job_id and other.id <> j.id)
    union all
    select 'E1', j.id, j.record_id, format('the portal has it under %s references, and it was to be submitted %s times', n, j.times),
           'look them up at the portal'
      from (select s.job_id, count(*) as n from portal_submission as s where s.state = 'confirmed' group by s.job_id) as taken
      join automation_job as j on j.id = taken.job_id
     where n > j.times
$$;
