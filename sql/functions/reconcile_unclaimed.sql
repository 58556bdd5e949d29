-- Queue rows that a worker fetched and never claimed: it died in between. A new row supersedes them.
create or replace function reconcile_unclaimed(p_grace_s float8) returns setof uuid language plpgsql as $$
declare
    stuck record;
    job automation_job;
begin
    for stuck in
        select j.id, q.id as queue_row from procrastinate_jobs as q join automation_job as j on j.queue_job_id = q.id
         where q.status = 'doing' and j.state in ('queued', 'retrying')
           -- The queue's own history may have been emptied by hand.
           and coalesce((select max(at) from procrastinate_events as e where e.job_id = q.id and e.type = 'started'),
                        j.changed_at) < clock_timestamp() - make_interval(secs => p_grace_s)
         limit 200
    loop
        job := try_lock_job(stuck.id);
        continue when job.queue_job_id is distinct from stuck.queue_row or job.state not in ('queued', 'retrying');
        update procrastinate_jobs set status = 'aborted', attempts = attempts + 1
         where id = stuck.queue_row and status = 'doing';
        continue when not found;
        perform interrupt(job, false);
        return next job.id;
    end loop;
end $$;
