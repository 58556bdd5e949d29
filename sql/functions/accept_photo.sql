-- A photo's bytes for a stored record. The job is locked before the missing photos are counted, so of two last photos one
-- sees both; the one that completes the set makes the job ready in this very transaction.
--
-- outcome: stored · replayed (same bytes) · conflict (other bytes) · unknown (no such name on the record).
drop function if exists accept_photo(uuid, jsonb, jsonb, text);
create function accept_photo(p_record uuid, p_photo jsonb, p_defects jsonb, p_actor text, out outcome text)
language plpgsql as $$
declare
    job automation_job;
    p photo := jsonb_populate_record(null::photo, p_photo);
    was photo;
    needs text;
begin
    perform set_config('asbuilt.actor', p_actor, true);
    job := lock_job((select id from automation_job where record_id = p_record order by created_at desc limit 1));
    p.blob_sha256 := decode(p_photo ->> 'blob_sha256', 'hex');
    select * into was from photo where record_id = p_record and name = p_photo ->> 'name' for update;
    if not found then
        outcome := 'unknown';
    elsif was.received_at is not null then
        outcome := case when was.blob_sha256 = p.blob_sha256 then 'replayed' else 'conflict' end;
    else
        outcome := 'stored';
    end if;
    if outcome <> 'stored' then
        return;
    end if;

    perform keep_blob(p.blob_sha256, (p_photo ->> 'size')::bigint, p_photo ->> 'type');
    update photo set blob_sha256 = p.blob_sha256, received_at = now(), width = p.width, height = p.height,
           taken_at = p.taken_at, taken_at_source = p.taken_at_source, lat = p.lat, lon = p.lon,
           exif = coalesce(p.exif, '{}'), checks = coalesce(p.checks, 'deferred'),
           dhash = p.dhash, sharpness = p.sharpness, luma = p.luma
     where id = was.id;
    perform add_defects(p_record, job.revision, p_defects);

    if p.checks = 'deferred' then
        perform defer_checks(p_record);
    end if;
    needs := record_needs(p_record);
    if needs is distinct from 'media' then
        update asbuilt_record set media_state = 'complete' where id = p_record;
    end if;
    if job.state <> 'awaiting_media' then
        return;
    end if;
    if needs = 'media' then
        -- Nothing but the event: the page counts photos as they come.
        update automation_job set wait_reason = 'media' where id = job.id;
    elsif needs is not null then
        update automation_job set state = 'held', wait_reason = needs where id = job.id;
    else
        perform admit(job.id);
    end if;
end $$;
