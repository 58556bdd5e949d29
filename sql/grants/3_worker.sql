-- What a worker may do: drive jobs and look after the queue. It sees no person, no device and no secret of either, and what is a
-- matter of record it only adds to.
do $$
begin
    if to_regrole('asbuilt_worker') is null then
        return;
    end if;
    revoke all on all tables in schema public, ops from asbuilt_worker;
    grant usage on schema public to asbuilt_worker;

    grant select on project, portal, form_def, design_asset, record_revision, record_serial, schema_migration to asbuilt_worker;

    -- Which project a phone belongs to, for the checks of its photos; not what it is called.
    grant select (id, project_id) on device to asbuilt_worker;

    -- Records: findings, media that never came, the small pictures.
    grant select, update on asbuilt_record, photo to asbuilt_worker;
    grant select, insert, update on defect to asbuilt_worker;
    grant select, insert, update, delete on record_check, record_line, turn to asbuilt_worker;
    -- Whoever refers to a blob locks its row, which asks for the right to update one column.
    grant select, insert, delete, update (type) on blob to asbuilt_worker;

    -- What is due is removed by a function of its owner's; the policy is read.
    grant select on retention to asbuilt_worker;

    -- Jobs.
    grant select, update on automation_job, portal_account to asbuilt_worker;
    grant select, insert, update on automation_attempt, automation_input, automation_run, portal_submission, artifact
        to asbuilt_worker;
    grant select, insert, update, delete on automation_step, portal_slot, worker to asbuilt_worker;
    grant insert on job_event, audit_event to asbuilt_worker;

    -- The queue is the worker's own.
    grant select, insert, update, delete on procrastinate_jobs, procrastinate_events, procrastinate_workers,
        procrastinate_periodic_defers to asbuilt_worker;
    grant usage on all sequences in schema public to asbuilt_worker;
    grant execute on all functions in schema public to asbuilt_worker;
    -- People's acts and a person's view, with rights of their own.
    revoke execute on function answer_input(uuid, uuid, bytea, text, text), restart_job(automation_job), record_row(asbuilt_record)
        from asbuilt_worker;
end $$;
