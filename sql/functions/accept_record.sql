-- The upload's transaction: record, revision, photos, blobs, defects, job, queue row, event and audit, or nothing at all.
--
-- p_record, p_photos and p_defects are the checked upload; photos whose bytes are stored carry blob_sha256.
-- outcome: created · replayed (same id, same fingerprint) · conflict (same id, other content, project or device) · deleted
-- (this device's own, and stays so).
-- Raises AB001 when another transaction has been storing the same id for over a second.
create or replace function accept_record(
    p_project uuid, p_device uuid, p_record jsonb, p_photos jsonb, p_defects jsonb, p_fingerprint bytea, p_max_attempts int,
    p_actor text,
    out outcome text, out job_id uuid, out job_state text, out received_at timestamptz)
language plpgsql as $$
declare
    r asbuilt_record := jsonb_populate_record(null::asbuilt_record, p_record);
    stored asbuilt_record;
    account uuid;
    reviewed boolean;
    reason text;
    missing boolean := exists (select from jsonb_array_elements(p_photos) as p where p ->> 'received' is null);
    blocked boolean := exists (select from jsonb_array_elements(p_defects) as d where d ->> 'severity' = 'blocker');
    pending boolean;
begin
    select portal_account_id, approval_required into account, reviewed from project where id = p_project;
    perform set_config('asbuilt.actor', p_actor, true);
    begin
        perform set_config('lock_timeout', '1s', true);
        for try in 0..4 loop
            insert into asbuilt_record (id, project_id, device_id, form_key, form_version, asset_key, crew, external_ref,
                fields, fingerprint, lat, lon, h_accuracy_m, v_accuracy_m, altitude_m, fix_type, position_source,
                captured_at, client_created_at, device_sent_at, design_snapshot, review_state, media_state, media_due_at)
            values (r.id, p_project, p_device, r.form_key, r.form_version, coalesce(r.asset_key, ''), coalesce(r.crew, ''),
                external_ref(r.id, try), r.fields, p_fingerprint, r.lat, r.lon, r.h_accuracy_m, r.v_accuracy_m,
                r.altitude_m, r.fix_type, r.position_source, r.captured_at, r.client_created_at, r.device_sent_at,
                r.design_snapshot, 'received', case when missing then 'awaiting' else 'complete' end,
                case when missing then media_due(r.form_key, r.form_version) end)
            -- Not "on conflict (id)": of two at once the second may meet the first one's reference before its id.
            on conflict do nothing
            returning * into stored;
            exit when found or exists (select from asbuilt_record as e where e.id = r.id);
        end loop;
    exception when lock_not_available then
        raise exception using errcode = 'AB001', message = 'record is being stored by another request',
                hint = 'send the same upload again';
    end;
    if stored.id is null then
        select case when e.fingerprint = p_fingerprint and e.device_id = p_device and e.deleted_at is null
                    then 'replayed'
                    when e.device_id = p_device and e.deleted_at is not null then 'deleted' else 'conflict' end
          into outcome from asbuilt_record as e where e.id = r.id;
        return;
    end if;

    r := stored;
    perform keep_blob(p.sha256, p.size, p.type)
       from (select decode(b.blob_sha256, 'hex') as sha256, b.size, b.type
               from jsonb_to_recordset(p_photos) as b (blob_sha256 text, size bigint, type text)
              where b.blob_sha256 is not null order by 1) as p;

    insert into photo (record_id, name, shot_key, kind, declared_sha256, declared_size, declared_type, blob_sha256,
        rejected_reason, received_at, width, height, taken_at, taken_at_source, lat, lon, exif, checks,
        dhash, sharpness, luma)
    select r.id, p.name, p.shot, p.kind, decode(p.declared_sha256, 'hex'), p.declared_size, p.declared_type,
        decode(p.blob_sha256, 'hex'), p.rejected_reason, case when p.received then r.received_at end, p.width, p.height,
        p.taken_at, p.taken_at_source, p.lat, p.lon, coalesce(p.exif, '{}'), coalesce(p.checks, 'deferred'),
        p.dhash, p.sharpness, p.luma
      from jsonb_to_recordset(p_photos) as p (name text, shot text, kind text, declared_sha256 text, declared_size bigint,
        declared_type text, blob_sha256 text, rejected_reason text, received boolean, width int, height int,
        taken_at timestamptz, taken_at_source text, lat float8, lon float8, exif jsonb, checks text,
        dhash bigint, sharpness real, luma real);

    insert into record_revision (record_id, revision, fields, by, content)
    values (r.id, 1, r.fields, actor(), revision_content(r));
    perform add_defects(r.id, 1, p_defects);
    if jsonb_array_length(coalesce(p_record -> 'serials', '[]')) > 0 then
        perform set_serials(p_project, r.id, p_record -> 'serials');
    end if;

    job_id := uuid7();
    pending := exists (select from jsonb_array_elements(p_photos) as p
                        where p ->> 'checks' = 'deferred' and p ->> 'blob_sha256' is not null);
    if pending then
        perform defer_checks(r.id);
    end if;
    reason := case when missing then 'media' when blocked then 'blocker' when pending then 'checks_pending'
                   when reviewed then 'review' else take_slot(account, job_id) end;
    job_state := case when missing then 'awaiting_media' else state_waiting(reason) end;
    received_at := r.received_at;
    insert into automation_job (id, record_id, revision, project_id, device_id, account_id, external_ref, max_attempts,
        state, wait_reason, queued_at, queue_job_id)
    values (job_id, r.id, 1, p_project, p_device, account, r.external_ref, p_max_attempts, job_state,
        reason, case when not missing and not blocked and not pending and not reviewed then r.received_at end,
        queue_defer(job_id, case when reason is null then 'automation' else 'waiting' end));

    insert into audit_event (actor, action, project_id, record_id, job_id)
    values (actor(), 'record.upload', p_project, r.id, job_id);
    outcome := 'created';
end $$;
