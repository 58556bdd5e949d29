-- Live jobs whose queue row is gone or spent, as after a DELETE by hand: a new one is deferred.
create or replace function reconcile_rowless() returns setof uuid language plpgsql as $$
declare
    bare record;
    job automation_job;
begin
    for bare in
        select j.id from automation_job as j left join procrastinate_jobs as q on q.id = j.queue_job_id
         where j.state in ('awaiting_media', 'held', 'queued', 'retrying', 'needs_input')
           and (q.id is null or q.status not in ('todo', 'doing'))
         limit 200
    loop
        job := try_lock_job(bare.id);
        continue when job.id is null or job.state not in ('awaiting_media', 'held', 'queued', 'retrying', 'needs_input')
            or exists (select from procrastinate_jobs where id = job.queue_job_id and status in ('todo', 'doing'));
        update automation_job
           set queue_job_id = queue_defer(job.id, case job.state when 'queued' then 'automation' else 'waiting' end)
         where id = job.id;
        return next job.id;
    end loop;
end $$;
