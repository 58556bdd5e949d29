-- Submit once more what the portal has taken in already: its entry was lost, deleted, or keyed into a wrong place. The only way out of
-- `completed`. A new queue row, a fresh budget, one audit row; the submission before stays as it is, under its reference.
-- p_confirmation is the number that was seen: should the portal have given another one meanwhile, somebody was quicker.
-- Raises AB404 (no such job), AB409 (it is not completed, or not under this number) and AB422 (no reason).
create or replace function ops.run_again(p_job uuid, p_reason text, p_confirmation text default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    job automation_job := known_job(p_job);
    before jsonb := job_view(job);
begin
    if job.state <> 'completed' then
        raise exception using errcode = 'AB409', message = format('a job that is %s cannot be run again', job.state),
            hint = case when job.state in ('failed', 'cancelled', 'retrying') then format('select ops.retry(%L, ''why'')', p_job)
                        else 'only completed jobs can; this one is not over' end;
    elsif p_confirmation <> job.confirmation then
        raise exception using errcode = 'AB409', message = format('the portal''s number is %s by now', job.confirmation),
            hint = 'somebody has run it again; look at ops.timeline';
    end if;
    job := restart_job(job);
    -- Whoever reads the new reference at the portal finds the record by it.
    update record_line as l set search = record_line_text(r) from asbuilt_record as r
     where r.id = job.record_id and l.record_id = r.id;
    insert into audit_event (actor, action, reason, project_id, record_id, job_id, before, after)
    values (actor(), 'job.run_again', why, job.project_id, job.record_id, p_job, before, job_view(job));
    return job_view(job);
end $$;
comment on function ops.run_again(uuid, text, text) is
    'Submit a completed record once more, under a new reference; the entry before stays at the portal. Give the reason, it is kept, and best the number that you saw.';
