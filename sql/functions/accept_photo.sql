-- A photo's bytes for a stored record. The job is locked before the missing photos are counted, so of two last photos one
-- sees both; the one that completes the set makes the job ready in this very transaction. One that comes late closes what was
-- found about it; one that was waived goes along if no run has begun.
--
-- outcome: stored · replayed (same bytes) · conflict (other bytes) · unknown (no such name on the record).
create or replace function accept_photo(p_record uuid, p_photo jsonb, p_defects jsonb, p_actor text, out outcome text)
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
    update defect set status = 'fixed', by = actor(), reason = 'the photo has come', closed_at = clock_timestamp()
     where record_id = p_record and rule = 'photo-not-received' and photo = was.name and status = 'open';
    perform add_defects(p_record, job.revision, p_defects);

    if p.checks = 'deferred' then
        perform defer_checks(p_record);
    end if;
    update asbuilt_record set media_state = 'complete', media_due_at = null
     where id = p_record and not exists (select from photo where record_id = p_record and received_at is null);
    needs := record_needs(p_record);
    if job.wait_reason in ('media', 'media_overdue') and needs is distinct from job.wait_reason then
        perform resume_job(job);
    elsif job.state in ('queued', 'retrying') and needs is not null and not under_way(job) then
        perform hold_job(job, needs);
    elsif job.state not in ('completed', 'failed', 'cancelled', 'processing') then
        -- Nothing but the event: the page counts photos as they come.
        update automation_job set wait_reason = job.wait_reason where id = job.id;
    end if;
end $$;
