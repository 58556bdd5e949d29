-- Live queue rows that are no job's own and that nobody runs, as copies and edits by hand leave them: closed.
create or replace function reconcile_strays(p_grace_s float8) returns void language sql as $$
    with stray as (
        select q.id, q.status from procrastinate_jobs as q
         where q.task_name = 'automation' and q.status in ('todo', 'doing')
           and not exists (select from automation_job as j where j.queue_job_id = q.id)
           and not exists (select from automation_attempt as a where a.queue_job_id = q.id)
           and not exists (select from procrastinate_events as e
                            where e.job_id = q.id and e.at > clock_timestamp() - make_interval(secs => p_grace_s))
         limit 200 for update of q skip locked)
    update procrastinate_jobs as q
       set status = (case stray.status when 'todo' then 'cancelled' else 'aborted' end)::procrastinate_job_status,
           attempts = attempts + 1
      from stray where q.id = stray.id
$$;
