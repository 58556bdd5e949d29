-- A person puts a job on hold: it starts no run until it is released. Raises AB404 and AB409 (it runs, asks, or has ended).
create or replace function ops.hold(p_job uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    job automation_job := known_job(p_job);
    before jsonb := job_view(job);
begin
    if job.state not in ('awaiting_media', 'held', 'queued', 'retrying') or job.wait_reason = 'hold' then
        raise exception using errcode = 'AB409', message = format('a job that is %s cannot be put on hold',
            case job.wait_reason when 'hold' then 'on hold' else job.state end),
            hint = 'only jobs that wait can; ops.cancel stops one that runs';
    end if;
    perform hold_job(job, 'hold');
    select * into job from automation_job where id = p_job;
    insert into audit_event (actor, action, reason, project_id, record_id, job_id, before, after)
    values (actor(), 'job.hold', why, job.project_id, job.record_id, p_job, before, job_view(job));
    return job_view(job);
end $$;
comment on function ops.hold(uuid, text) is 'Put a waiting job on hold until ops.release. Say why; it is kept.';
