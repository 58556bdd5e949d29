-- What the task found on one photo of a record, or, without one, that there is none left; answers how many are left. With the
-- last one the job goes on, or waits for what the record needs still, in this very transaction.
create or replace function settle_check(p_record uuid, p_photo jsonb, p_defects jsonb) returns int language plpgsql as $$
declare
    job automation_job := lock_job((select id from automation_job where record_id = p_record order by created_at desc limit 1));
    p photo := jsonb_populate_record(null::photo, p_photo - 'blob_sha256');
    remain int;
begin
    update photo
       set checks = p.checks, width = p.width, height = p.height, taken_at = p.taken_at, taken_at_source = p.taken_at_source,
           lat = p.lat, lon = p.lon, exif = coalesce(p.exif, '{}'), dhash = p.dhash, sharpness = p.sharpness, luma = p.luma
     where record_id = p_record and name = p_photo ->> 'name' and checks = 'deferred' and p.checks <> 'deferred'
       and blob_sha256 = decode(p_photo ->> 'blob_sha256', 'hex');
    if found then
        perform add_defects(p_record, (select revision from asbuilt_record where id = p_record), p_defects);
    end if;
    select count(*) into remain from photo where record_id = p_record and checks = 'deferred' and blob_sha256 is not null;
    if remain = 0 then
        delete from record_check where record_id = p_record;
        if job.state = 'held' and job.wait_reason = 'checks_pending' then
            perform resume_job(job);
        end if;
    end if;
    return remain;
end $$;
