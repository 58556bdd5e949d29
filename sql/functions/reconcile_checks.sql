-- Checks whose queue row is gone, spent, or with a worker that has not been heard of: a new row is deferred.
create or replace function reconcile_checks(p_grace_s float8) returns setof uuid language plpgsql as $$
declare
    lost record;
    job automation_job;
begin
    for lost in
        select c.record_id, c.queue_job_id
          from record_check as c
          left join procrastinate_jobs as q on q.id = c.queue_job_id
          left join procrastinate_workers as w on w.id = q.worker_id
         where q.id is null
            -- A check that failed is tried again after a while: its photo may be out of reach just now.
            or q.status not in ('todo', 'doing') and c.at < clock_timestamp() - make_interval(secs => p_grace_s)
            or q.status = 'doing' and coalesce(w.last_heartbeat, '-infinity') < clock_timestamp() - make_interval(secs => p_grace_s)
        union all
        select distinct p.record_id, null::bigint
          from photo as p
         where p.checks = 'deferred' and p.blob_sha256 is not null
           and not exists (select from record_check as c where c.record_id = p.record_id)
         limit 200
    loop
        job := try_lock_job((select id from automation_job where record_id = lost.record_id order by created_at desc limit 1));
        continue when job.id is null
            or (select queue_job_id from record_check where record_id = lost.record_id) is distinct from lost.queue_job_id;
        update procrastinate_jobs set status = 'aborted', attempts = attempts + 1 where id = lost.queue_job_id and status = 'doing';
        insert into record_check (record_id, queue_job_id) values (lost.record_id, queue_checks(lost.record_id))
        on conflict (record_id) do update set queue_job_id = excluded.queue_job_id, at = now();
        return next job.id;
    end loop;
end $$;
