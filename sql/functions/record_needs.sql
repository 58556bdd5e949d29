-- What a record's job still waits for before it may run at all: its photos, a person for an open blocker, checks that may
-- find one, or nothing (null).
create or replace function record_needs(p_record uuid) returns text language sql stable as $$
    select case
        when exists (select from photo where record_id = p_record and received_at is null) then 'media'
        when exists (select from defect where record_id = p_record and severity = 'blocker' and status = 'open') then 'blocker'
        when exists (select from photo where record_id = p_record and checks = 'deferred' and blob_sha256 is not null)
            then 'checks_pending'
    end
$$;
