-- A person's answer: sealed by the caller, or a plain decision for an approval or between two runs. The job goes on at once,
-- first in line when its run holds a page open. The audit knows who answered which question, never what.
-- With its owner's rights, as the functions of ops: a refusal gives the job's slot to the next in line, which may be out of the
-- answerer's sight.
-- Raises AB404 (no such question), AB409 (answered already, or the job has gone on) and AB410 (too late).
create or replace function answer_input(p_job uuid, p_input uuid, p_cipher bytea, p_decision text, p_reason text)
returns jsonb
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    job automation_job := lock_job(p_job);
    before jsonb := job_view(job);
    asked automation_input;
begin
    select * into asked from automation_input where id = p_input and job_id = p_job for update;
    if job.id is null or asked.id is null then
        raise exception using errcode = 'AB404', message = format('job %s has no question %s', p_job, p_input),
            hint = 'select job_id, kind, prompt from ops.questions';
    elsif asked.outcome in ('answered', 'used', 'approved', 'refused') then
        raise exception using errcode = 'AB409', message = format('it was answered by %s', asked.answered_by),
            hint = 'ops.timeline of the job shows what came of it';
    elsif asked.outcome is not null or asked.expires_at <= clock_timestamp() then
        raise exception using errcode = 'AB410', message = 'the time for an answer is over',
            hint = 'when the job asks again, its question is a new one';
    elsif job.state <> 'needs_input' then
        raise exception using errcode = 'AB409', message = 'the job has gone on meanwhile',
            hint = 'ops.timeline of the job shows what came of it';
    end if;
    update automation_input
       set answered_at = clock_timestamp(), answered_by = actor(), answer_cipher = p_cipher,
           outcome = coalesce(p_decision, 'answered')
     where id = p_input;
    if p_decision = 'refused' then
        job := end_waiting(job, 'NOT_APPROVED', 'a person decided not to submit it');
    elsif asked.run_input_id is null then
        update automation_job set failures = 0, interruptions = 0 where id = p_job;
        perform admit(p_job);
        select * into job from automation_job where id = p_job;
    else
        update automation_job
           set state = 'queued', wait_reason = null, ready_at = null, queued_at = clock_timestamp()
         where id = p_job returning * into job;
        -- A run that holds its page open has its slot, and cannot stand behind a backlog.
        update procrastinate_jobs set queue_name = 'automation', priority = 10
         where id = job.queue_job_id and status = 'todo';
    end if;
    insert into audit_event (actor, action, reason, project_id, record_id, job_id, before, after)
    values (actor(), 'question.answer', p_reason, job.project_id, job.record_id, p_job, before,
            job_view(job) || jsonb_build_object('answered', jsonb_build_object('id', asked.id, 'kind', asked.kind,
                'prompt', asked.prompt, 'decision', p_decision)));
    return job_view(job);
end $$;
