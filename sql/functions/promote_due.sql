-- Make every due retry runnable; answers the seconds until the next one is due, null when none waits.
create or replace function promote_due() returns float8 language plpgsql as $$
declare
    due record;
begin
    for due in
        select j.id, j.queue_job_id
          from automation_job as j join procrastinate_jobs as q on q.id = j.queue_job_id
         where j.state = 'retrying' and j.ready_at <= clock_timestamp() and q.queue_name = 'waiting' and q.status = 'todo'
         order by j.ready_at
         limit 500
           for update of q skip locked
    loop
        -- The queue row is ours now; its job is taken only if nobody else is at it.
        perform from automation_job
          where id = due.id and queue_job_id = due.queue_job_id and state = 'retrying' for update skip locked;
        if found then
            perform queue_move(due.queue_job_id);
        end if;
    end loop;
    return (select extract(epoch from min(j.ready_at) - clock_timestamp())
              from automation_job as j join procrastinate_jobs as q on q.id = j.queue_job_id
             where j.state = 'retrying' and q.queue_name = 'waiting');
end $$;
