-- Write the event of a job's change and tell the web processes, whoever made the change.
-- xmin goes along as the cursor of streams over many jobs: every transaction below it has ended.
create or replace function job_tell() returns trigger language plpgsql as $$
declare
    view jsonb := job_view(new);
    kind text := case
        when tg_op = 'INSERT' then 'created'
        when new.state <> old.state then 'state'
        when new.state = 'awaiting_media' then 'media'
        else 'changed' end;
    payload text;
begin
    insert into job_event (job_id, seq, at, kind, actor, data)
    values (new.id, new.seq, new.changed_at, kind, actor(), view);
    payload := jsonb_build_object(
        'job', new.id, 'record', new.record_id, 'project', new.project_id, 'device', new.device_id, 'seq', new.seq,
        'xmin', pg_snapshot_xmin(pg_current_snapshot())::text, 'data', view)::text;
    -- A payload of 8000 bytes or more would be an error; the hub then reads the event itself.
    if octet_length(payload) >= 7900 then
        payload := (payload::jsonb || '{"data": null}')::text;
    end if;
    perform pg_notify('asbuilt_job', payload);
    return null;
end $$;

create or replace trigger job_tell after insert or update on automation_job
    for each row execute function job_tell();
