-- A person has looked at the portal: the record is there, under this number, or it is not and may be submitted again with a
-- fresh budget. Raises AB404 (no such job), AB409 (its outcome is not asked for) and AB422 (there without a number).
create or replace function ops.answer_outcome(p_job uuid, p_submitted boolean, p_confirmation text, p_reason text)
returns jsonb
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    job automation_job := known_job(p_job);
    before jsonb := job_view(job);
    number text := btrim(coalesce(p_confirmation, ''));
    spent bigint := job.queue_job_id;
begin
    if job.state <> 'needs_input' or job.wait_reason <> 'outcome_unknown' then
        raise exception using errcode = 'AB409', message = 'the outcome of this job is not asked for',
            hint = 'only jobs that wait for input with outcome_unknown can be answered';
    elsif p_submitted is null or p_submitted and number = '' then
        raise exception using errcode = 'AB422', message = 'the confirmation number is missing',
            hint = 'give the number the portal shows for the record';
    elsif length(number) > 200 then
        raise exception using errcode = 'AB422', message = 'the confirmation number is too long',
            hint = 'it has at most 200 characters';
    end if;
    if p_submitted then
        perform confirm_submission(p_job, job.attempt, number, 'person');
        perform clear_rejections(p_job);
        update automation_job
           set state = 'completed', confirmation = number, wait_reason = null, ready_at = null, queue_job_id = null,
               error_code = null, error_class = null, error_message = null, error_step = null,
               finished_at = clock_timestamp()
         where id = p_job returning * into job;
        -- After the job has let go of it, so that this is no edit by hand.
        update procrastinate_jobs set status = 'cancelled' where id = spent and status = 'todo';
    else
        update portal_submission set state = 'absent', attempt = job.attempt, looks = 0,
               evidence = jsonb_build_object('person', actor())
         where job_id = p_job and state = 'intent';
        update automation_job
           set failures = 0, interruptions = 0,
               error_code = null, error_class = null, error_message = null, error_step = null
         where id = p_job;
        perform admit(p_job);
        select * into job from automation_job where id = p_job;
    end if;
    insert into audit_event (actor, action, reason, project_id, record_id, job_id, before, after)
    values (actor(), 'job.outcome', why, job.project_id, job.record_id, p_job, before,
            job_view(job) || jsonb_build_object('submitted', p_submitted));
    return job_view(job);
end $$;
comment on function ops.answer_outcome(uuid, boolean, text, text) is
    'Answer for a job whose submission could not be proven: it is at the portal (give its number), or it is not and is submitted again.';
