-- An attempt asks a person. The run's own question (p_question has a run_input_id) holds its page open: run and slot are
-- kept until the answer or expires_at. Any other is asked between two runs: the run is over, and the answer starts the next.
-- False: fenced; null: it has been asked and answered, or is too late to ask, and the attempt goes on.
create or replace function settle_asked(p_job uuid, p_attempt int, p_question jsonb, p_error jsonb)
returns boolean language plpgsql as $$
declare
    asked automation_input := jsonb_populate_record(null::automation_input, p_question);
    held boolean := asked.run_input_id is not null;
    job automation_job := lock_job(p_job);
begin
    if held and (asked.expires_at <= clock_timestamp() or exists (
        select from automation_input as i
         where i.job_id = p_job and i.generation = job.generation and i.run_input_id = asked.run_input_id
           and i.outcome is not null)) then
        return null;
    end if;
    if not close_attempt(p_job, p_attempt, 'parked', p_error) then
        return false;
    end if;
    asked.expires_at := coalesce(asked.expires_at,
        clock_timestamp() + make_interval(secs => (p_question ->> 'within_s')::float8));
    insert into automation_input (job_id, attempt, generation, run_input_id, kind, prompt, fields, artifact_id, detail, expires_at)
    values (p_job, p_attempt, job.generation + (not held)::int, asked.run_input_id, asked.kind, left(asked.prompt, 1000),
            coalesce(asked.fields, '[]'), asked.artifact_id, coalesce(asked.detail, '{}'), asked.expires_at)
    on conflict (job_id, generation, run_input_id) where run_input_id is not null do nothing;
    update automation_job
       set state = 'needs_input', wait_reason = case when asked.kind = 'approval' and not held then 'approval' else 'question' end,
           ready_at = asked.expires_at, generation = generation + (not held)::int, queue_job_id = queue_defer(p_job, 'waiting'),
           error_code = p_error ->> 'code', error_class = p_error ->> 'class',
           error_message = p_error ->> 'message', error_step = p_error ->> 'step'
     where id = p_job;
    return true;
end $$;
