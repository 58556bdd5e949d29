-- A person lets a defect stand as it is. With the last open blocker, or the last photo that has not come, the job goes on, in this
-- very transaction.
-- Raises AB404, AB409 (it is not open) and AB422 (no reason).
create or replace function ops.waive(p_defect uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    d defect := (select x from defect as x join asbuilt_record as r on r.id = x.record_id
                  where x.id = p_defect and in_sight(r.project_id));
    job automation_job;
    before jsonb;
begin
    if d.id is null then
        raise exception using errcode = 'AB404', message = format('there is no defect %s', p_defect),
            hint = 'the page of its record, and GET /api/records/{id}, name its findings with their ids';
    end if;
    -- The job first, as everywhere: of two blockers waived at once, the second sees that it is the last.
    job := lock_job((select id from automation_job where record_id = d.record_id order by created_at desc limit 1));
    select * into d from defect where id = p_defect for update;
    if d.status <> 'open' then
        raise exception using errcode = 'AB409', message = format('the defect is %s already', d.status),
            hint = 'only open ones are waived';
    end if;
    before := to_jsonb(d);
    update defect set status = 'waived', by = actor(), reason = why, closed_at = clock_timestamp()
     where id = p_defect returning * into d;
    insert into audit_event (actor, action, reason, project_id, record_id, job_id, before, after)
    values (actor(), 'defect.waive', d.reason, job.project_id, d.record_id, job.id, before, to_jsonb(d));
    if job.state = 'held' and job.wait_reason in ('blocker', 'media_overdue')
        and record_needs(d.record_id) is distinct from job.wait_reason then
        perform resume_job(job);
    elsif job.state not in ('completed', 'failed', 'cancelled', 'processing') then
        -- Nothing but the event: open pages count the findings anew.
        update automation_job set wait_reason = job.wait_reason where id = job.id;
    end if;
    return to_jsonb(d);
end $$;
comment on function ops.waive(uuid, text) is
    'Let a defect stand as it is; the last open blocker, or photo that has not come, releases the job. Say why; it is kept.';
