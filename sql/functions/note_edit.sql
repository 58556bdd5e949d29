-- An edit by hand of a queue table, on record beside the acts of people: with what was.
create or replace function note_edit(job automation_job, p_action text, p_reason text, p_before jsonb)
returns void language sql as $$
    insert into audit_event (actor, action, reason, project_id, record_id, job_id, before, after)
    values (actor(), p_action, p_reason, job.project_id, job.record_id, job.id, p_before, job_view(job))
$$;
