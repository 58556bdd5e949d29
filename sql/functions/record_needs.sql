-- What a record's job still waits for before it may run at all: its photos (`media_overdue`: it was said that they have not come;
-- one whose absence is waived is not waited for), a person for an open blocker, checks that may find one, the office (`review_needs`), or
-- nothing (null).
create or replace function record_needs(p_record uuid) returns text language sql stable as $$
    select case
        when exists (select from defect where record_id = p_record and rule = 'photo-not-received' and status = 'open')
            then 'media_overdue'
        when exists (select from photo as p where p.record_id = p_record and p.received_at is null and not exists (
                select from defect as d where d.record_id = p_record and d.rule = 'photo-not-received' and d.photo = p.name
                   and d.status = 'waived')) then 'media'
        when exists (select from defect where record_id = p_record and severity = 'blocker' and status = 'open') then 'blocker'
        when exists (select from photo where record_id = p_record and checks = 'deferred' and blob_sha256 is not null)
            then 'checks_pending'
        else review_needs(p_record)
    end
$$;
