-- What the web process may do. It changes nothing that is a matter of record (events, acts, comments, revisions), makes no access
-- (people, devices, tokens) and no set-up (projects, portals, forms): that is the owner's, through the command line.
do $$
declare
    act regprocedure;
begin
    if to_regrole('asbuilt_app') is null then
        return;
    end if;
    revoke all on all tables in schema public, ops from asbuilt_app;
    grant usage on schema public, ops to asbuilt_app;

    -- Access: read; sessions come and go, and a link is used once.
    grant select on project, app_user, membership, device, access_token, user_session, sign_in_link to asbuilt_app;
    grant insert, delete on user_session to asbuilt_app;
    grant update (used_at) on sign_in_link to asbuilt_app;

    -- Set-up: read.
    grant select on portal, form_def, design_asset, stream_epoch, schema_migration, retention to asbuilt_app;

    -- Records and what belongs to them.
    grant select, insert, update on asbuilt_record, defect to asbuilt_app;
    grant select, insert on record_revision, comment to asbuilt_app;
    grant select, insert, update, delete on photo, upload_session, idempotency_key, record_check, record_serial, record_line,
        turn to asbuilt_app;
    -- Whoever refers to a blob locks its row, which asks for the right to update one column.
    grant select, insert, delete, update (type) on blob to asbuilt_app;

    -- Jobs: made here, moved by people's acts, driven by workers.
    grant select, insert, update on automation_job to asbuilt_app;
    grant select, update on automation_input, portal_account to asbuilt_app;
    grant select, insert, update, delete on portal_slot to asbuilt_app;
    grant select on automation_attempt, automation_run, automation_step, artifact, portal_submission, worker to asbuilt_app;
    grant select, insert on job_event, audit_event to asbuilt_app;

    -- The queue: rows are deferred, moved and cancelled; a worker's own tables are looked at.
    grant select, insert, update on procrastinate_jobs to asbuilt_app;
    grant select, insert on procrastinate_events to asbuilt_app;
    grant select on procrastinate_workers to asbuilt_app;
    grant usage on all sequences in schema public to asbuilt_app;

    -- Functions run with the rights of their caller; those in ops and an answer are people's acts, with rights of their own. A view of ops
    -- and the doctor read by their owner's rights, past every policy: these two views show what is of no project (tests/sql/test_sight.py).
    grant execute on all functions in schema public to asbuilt_app;
    revoke execute on function retain(text, text, boolean, int), restart_job(automation_job) from asbuilt_app;
    revoke all on all functions in schema ops from asbuilt_app;
    for act in select p.oid from pg_proc as p
                where p.pronamespace = 'ops'::regnamespace
                  and p.proname in ('answer_outcome', 'bulk', 'cancel', 'comment', 'hold', 'pause_portal', 'release', 'resume_portal',
                                    'retry', 'review', 'run_again', 'set_limit', 'waive') loop
        execute format('grant execute on function %s to asbuilt_app', act);
    end loop;
    grant select on ops.portals, ops.workers to asbuilt_app;
end $$;
