-- Have a record's deferred photos checked, by a queue row of this very transaction; one that is on its way finds them too.
-- The caller holds the record's job locked, or has not stored it yet. First in line: each takes a second or two, and holds a job.
create or replace function defer_checks(p_record uuid) returns void language plpgsql as $$
begin
    if not exists (select from record_check where record_id = p_record) then
        insert into record_check (record_id, queue_job_id) values (p_record, queue_checks(p_record));
    end if;
end $$;
