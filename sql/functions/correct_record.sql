-- A correction: the next revision of a record, in one transaction with its findings and what its job waits for now.
-- p_expected is the revision that the phone has seen. Photos that are no longer listed go; those that are keep their bytes.
--
-- outcome: corrected · replayed (this content is stored) · unknown · stale (another revision is stored) · photo (other bytes
-- under a name that stays) · locked (a run with the old content may be under way: later) · submitted (the portal has it).
-- A run that was begun keys what it was given, so nothing is corrected under it. With the job locked none begins: an attempt
-- is claimed under the same lock, and reads the record after it.
create or replace function correct_record(
    p_project uuid, p_device uuid, p_expected int, p_record jsonb, p_photos jsonb, p_defects jsonb, p_fingerprint bytea,
    p_actor text, out outcome text)
language plpgsql as $$
declare
    r asbuilt_record := jsonb_populate_record(null::asbuilt_record, p_record);
    was asbuilt_record;
    job automation_job;
    needs text;
    gone jsonb;
begin
    perform set_config('asbuilt.actor', p_actor, true);
    job := lock_job((select j.id from automation_job as j join asbuilt_record as e on e.id = j.record_id
                      where e.id = r.id and e.device_id = p_device and e.project_id = p_project and e.deleted_at is null
                      order by j.created_at desc limit 1));
    if job.id is null then
        outcome := 'unknown';
        return;
    end if;
    select * into was from asbuilt_record where id = r.id for update;
    outcome := case
        when was.fingerprint = p_fingerprint then 'replayed'
        when was.revision <> p_expected then 'stale'
        when job.state = 'completed' or exists (select from portal_submission where external_ref = job.external_ref
                                                   and state = 'confirmed') then 'submitted'
        when under_way(job) then 'locked'
        when exists (select from photo as p
                       join jsonb_to_recordset(p_photos) as n (name text, declared_sha256 text) on n.name = p.name
                      where p.record_id = r.id and p.blob_sha256 <> decode(n.declared_sha256, 'hex')) then 'photo'
        else 'corrected' end;
    if outcome <> 'corrected' then
        return;
    end if;

    with removed as (
        delete from photo
         where record_id = r.id and name not in (select n.name from jsonb_to_recordset(p_photos) as n (name text))
        returning name, encode(blob_sha256, 'hex') as sha256)
    select coalesce(jsonb_agg(to_jsonb(removed)), '[]') into gone from removed;
    update defect set status = 'fixed', by = actor(), reason = format('revision %s', was.revision + 1), closed_at = clock_timestamp()
     where record_id = r.id and photo in (select g ->> 'name' from jsonb_array_elements(gone) as g)
       -- Announced again some day, a photo is waited for again.
       and (status = 'open' or status = 'waived' and rule = 'photo-not-received');
    insert into photo (record_id, name, shot_key, kind, declared_sha256, declared_size, declared_type)
    select r.id, n.name, n.shot, n.kind, decode(n.declared_sha256, 'hex'), n.declared_size, n.declared_type
      from jsonb_to_recordset(p_photos) as n (name text, shot text, kind text, declared_sha256 text, declared_size bigint,
        declared_type text)
    on conflict (record_id, name) do update
       set shot_key = excluded.shot_key, kind = excluded.kind,
           declared_sha256 = coalesce(excluded.declared_sha256, photo.declared_sha256),
           declared_size = coalesce(excluded.declared_size, photo.declared_size),
           declared_type = coalesce(excluded.declared_type, photo.declared_type);

    update asbuilt_record
       set revision = was.revision + 1, form_key = r.form_key, form_version = r.form_version,
           asset_key = coalesce(r.asset_key, ''), crew = coalesce(r.crew, ''), fields = r.fields, fingerprint = p_fingerprint,
           lat = r.lat, lon = r.lon, h_accuracy_m = r.h_accuracy_m, v_accuracy_m = r.v_accuracy_m, altitude_m = r.altitude_m,
           fix_type = r.fix_type, position_source = r.position_source, captured_at = r.captured_at,
           client_created_at = r.client_created_at, device_sent_at = r.device_sent_at, design_snapshot = r.design_snapshot,
           review_state = 'edited',
           media_state = case when exists (select from photo where record_id = r.id and received_at is null)
                              then 'awaiting' else 'complete' end,
           media_due_at = case when exists (select from photo where record_id = r.id and received_at is null)
                               then media_due(r.form_key, r.form_version) end
     where id = r.id;
    insert into record_revision (record_id, revision, fields, by, content)
    select e.id, e.revision, e.fields, actor(), revision_content(e) from asbuilt_record as e where e.id = r.id;
    perform revise_defects(r.id, was.revision + 1, p_defects);
    perform set_serials(p_project, r.id, p_record -> 'serials');
    update automation_job set revision = was.revision + 1 where id = job.id;
    insert into audit_event (actor, action, project_id, record_id, job_id, before, after)
    values (actor(), 'record.correct', p_project, r.id, job.id,
            jsonb_build_object('revision', was.revision, 'fields', was.fields, 'photos', gone),
            jsonb_build_object('revision', was.revision + 1, 'fields', r.fields));

    needs := record_needs(r.id);
    if job.state = 'failed' then
        perform ops.retry(job.id, format('revision %s', was.revision + 1));
    elsif job.state in ('awaiting_media', 'needs_input') or (job.state = 'held' and job.wait_reason in ('blocker', 'checks_pending', 'media_overdue', 'review', 'sent_back')) then
        -- What a person was asked about is no longer what would be submitted.
        update automation_input as i set outcome = 'withdrawn' where i.job_id = job.id and i.outcome is null;
        perform resume_job(job);
    elsif job.state in ('queued', 'retrying') and needs is not null then
        perform hold_job(job, needs);
    end if;
end $$;
