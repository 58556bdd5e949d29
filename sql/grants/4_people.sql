-- What people at psql may do. Readers see the views of ops and what the doctor finds; operators act besides, through the functions
-- of ops and by hand on the queue's tables. No table of ours is open to either: what is secret is in no view, and whom a row is about
-- is in none that a reader asks (sees_people).
do $$
declare
    reader text;
begin
    foreach reader in array array['asbuilt_readonly', 'asbuilt_operator'] loop
        continue when to_regrole(reader) is null;
        execute format('revoke all on all tables in schema public, ops from %I', reader);
        execute format('grant usage on schema public, ops to %I', reader);
        execute format('grant select on all tables in schema ops to %I', reader);
        execute format('grant execute on function ops.doctor(float8) to %I', reader);
        -- A view calls functions with the rights of whoever asks it.
        execute format('grant execute on function job_since(automation_job), account_closed(portal_account), failure_shape(text),
                        count_due(text, text, timestamptz, int), sees_people(), actor_kind(text), plain_facts(jsonb) to %I', reader);
        execute format('grant select on procrastinate_jobs, procrastinate_events, procrastinate_workers,
                        procrastinate_periodic_defers to %I', reader);
    end loop;
    if to_regrole('asbuilt_operator') is null then
        return;
    end if;
    grant execute on all functions in schema ops to asbuilt_operator;
    grant update, delete on procrastinate_jobs to asbuilt_operator;
    -- How long things are kept is a row that an operator edits.
    grant select, update (keep, enabled) on retention to asbuilt_operator;
    -- An edit of a queue row writes its event and lets go of its periodic entry, with the rights of whoever edits.
    grant insert on procrastinate_events to asbuilt_operator;
    grant update (job_id) on procrastinate_periodic_defers to asbuilt_operator;
    grant usage on sequence procrastinate_events_id_seq to asbuilt_operator;
end $$;
