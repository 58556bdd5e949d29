-- A person lets a job go on that was put on hold, or that waited a day for its portal. What else it waits for, it waits for again.
-- Raises AB404 and AB409 (it is not on hold).
create or replace function ops.release(p_job uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    job automation_job := known_job(p_job);
    before jsonb := job_view(job);
begin
    if job.state <> 'held' or job.wait_reason not in ('hold', 'portal_down') then
        raise exception using errcode = 'AB409', message = format('the job is not on hold, it is %s', job.state),
            hint = case job.wait_reason when 'blocker' then 'a blocker is waived or fixed on the record'
                                        when 'checks_pending' then 'its photos are being checked; it goes on by itself'
                                        when 'media_overdue' then 'announced photos have not come: ops.waive each photo-not-received to go on without'
                                        when 'review' then 'ops.review approves its record'
                                        when 'sent_back' then 'the crew corrects its record, or ops.review approves it'
                                        else 'ops.resume_portal lets the jobs of a paused portal go on' end;
    end if;
    perform resume_job(job);
    select * into job from automation_job where id = p_job;
    insert into audit_event (actor, action, reason, project_id, record_id, job_id, before, after)
    values (actor(), 'job.release', why, job.project_id, job.record_id, p_job, before, job_view(job));
    return job_view(job);
end $$;
comment on function ops.release(uuid, text) is 'Let a job on hold go on. Say why; it is kept.';
