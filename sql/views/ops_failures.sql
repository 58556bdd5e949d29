create or replace view ops.failures as
select a.portal_key as portal, p.code as project, j.failure as fingerprint, j.error_step as step, j.error_code as code,
       min(j.error_class) as class, failure_shape(min(j.error_message)) as message, count(*) as jobs,
       count(*) filter (where j.state = 'retrying') as retrying,
       min(coalesce(j.finished_at, j.changed_at)) as first_at, max(coalesce(j.finished_at, j.changed_at)) as last_at,
       (array_agg(j.id order by j.id desc))[1] as newest_job
  from automation_job as j
  join portal_account as a on a.id = j.account_id
  join project as p on p.id = j.project_id
 where j.state in ('failed', 'retrying')
   and not exists (select from automation_job as later where later.record_id = j.record_id and later.created_at > j.created_at)
 group by a.portal_key, p.code, j.failure, j.error_step, j.error_code;
comment on view ops.failures is 'Jobs that have failed, or try again after a failure, in groups of one cause. A job that has gone on since is in none.';
comment on column ops.failures.fingerprint is 'Stands for step, code and message; ops.jobs.fingerprint names the jobs: select ops.retry(id, ''why'') from ops.jobs where fingerprint = ''…'' and state = ''failed''.';
comment on column ops.failures.message is 'Without what differs from job to job: ‹text›, ‹id› and ‹n› stand for it.';
comment on column ops.failures.retrying is 'So many of the jobs try again by themselves.';
