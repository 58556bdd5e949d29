-- Live jobs whose queue row is gone, spent, or names another job, as edits by hand leave them: a new row is deferred.
create or replace function reconcile_rowless() returns setof uuid language plpgsql as $$
declare
    bare record;
    job automation_job;
begin
    for bare in
        select j.id from automation_job as j left join procrastinate_jobs as q on q.id = j.queue_job_id
         where j.state in ('awaiting_media', 'held', 'queued', 'retrying', 'needs_input') and not carries(q, j.id)
         limit 200
    loop
        job := try_lock_job(bare.id);
        continue when job.id is null or job.state not in ('awaiting_media', 'held', 'queued', 'retrying', 'needs_input')
            or exists (select from procrastinate_jobs as q where q.id = job.queue_job_id and carries(q, job.id));
        update automation_job
           set queue_job_id = queue_defer(job.id, place_of(job.state, job.wait_reason))
         where id = job.id;
        return next job.id;
    end loop;
end $$;
