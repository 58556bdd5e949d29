-- By hand: another queue or another time for a queue row that waits. A retry's time is its job's ready_at, so there it goes;
-- moved to the queue that runs, the retry is due now. Any other move would part the row from what its job waits for.
create or replace function app_queue_plan() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    job automation_job;
    due timestamptz;
    before jsonb;
begin
    -- Queue row first, job second, as everywhere.
    select * into job from automation_job where queue_job_id = old.id for update;
    if not found then
        return new;
    end if;
    if job.state = 'retrying' then
        due := case when new.scheduled_at is distinct from old.scheduled_at
                    then coalesce(new.scheduled_at, clock_timestamp())
                    when new.queue_name = 'automation' then least(job.ready_at, clock_timestamp())
                    else job.ready_at end;
        new.scheduled_at := null;
        new.queue_name := case when due <= clock_timestamp() then 'automation' else 'waiting' end;
        new.priority := case when new.queue_name = 'automation' then greatest(new.priority, 0) else new.priority end;
    elsif new.queue_name <> old.queue_name
        and new.queue_name <> place_of(job.state, job.wait_reason) then
        raise exception using errcode = 'AB409',
            message = format('job %s is %s: its queue row stands in queue %s', job.id, job.state, old.queue_name),
            hint = case when job.wait_reason in ('slot', 'breaker', 'paused', 'login', 'recipe_paused')
                        then 'ops.portals shows what its portal account bears; a higher priority brings it to the front'
                        else 'ops.retry and ops.cancel move a job, and its queue row with it' end;
    elsif job.state = 'queued' and new.scheduled_at is distinct from old.scheduled_at then
        due := new.scheduled_at;
    end if;
    if job.state in ('queued', 'retrying') and due is distinct from job.ready_at then
        before := job_view(job);
        update automation_job set ready_at = due where id = job.id returning * into job;
        perform note_edit(job, 'job.reschedule', format('queue row %s was edited by hand', old.id), before);
        raise notice 'job % is due %', job.id, coalesce(due::text, 'now');
    end if;
    return new;
end $$;

create or replace trigger app_queue_plan before update of queue_name, scheduled_at on procrastinate_jobs for each row
    when (old.task_name = 'automation' and old.status = 'todo' and new.status = 'todo'
          and (new.queue_name <> old.queue_name or new.scheduled_at is distinct from old.scheduled_at))
    execute function app_queue_plan();
