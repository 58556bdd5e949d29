-- ops.doctor on queue rows: a live one is its job's own, or the attempt that used it up has only just ended.
create or replace function doctor_queue(p_grace_s float8)
returns table (rule text, job_id uuid, record_id uuid, sentence text, hint text) language sql stable as $$
    with stray as (
        select q.*, clock_timestamp() - make_interval(secs => p_grace_s) as since
          from procrastinate_jobs as q
         where q.task_name = 'automation' and q.status in ('todo', 'doing')
           and not exists (select from automation_job as j where j.queue_job_id = q.id))
    select 'J3', j.id, j.record_id,
           format('queue row %s is %s, and %s', stray.id, stray.status,
               case when a.job_id is not null then 'its attempt ended ' || a.ended_at
                    when j.id is null then 'no job is named by it'
                    when j.queue_job_id is null then 'its job is ' || j.state
                    else 'its job goes by queue row ' || j.queue_job_id end),
           'a worker''s next sweep closes it; is a worker alive?'
      from stray
      left join automation_attempt as a on a.queue_job_id = stray.id
      left join automation_job as j on j.id::text = stray.args ->> 'automation_job_id'
     where case when a.job_id is not null then a.ended_at < since
                else not exists (select from procrastinate_events as e where e.job_id = stray.id and e.at > since) end
$$;
