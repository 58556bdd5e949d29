-- Remove so many lines of the audit that are due: of none that belongs to a record or a job, whose history it is. Numbers go with
-- times, but for a moment: the first ones are looked at.
create or replace function remove_audit(p_border timestamptz, p_most int) returns int language plpgsql as $$
declare
    done int;
begin
    delete from audit_event where id in (
        select id from (select id, at from audit_event where record_id is null and job_id is null order by id limit p_most) as first
         where at < p_border);
    get diagnostics done = row_count;
    return done;
end $$;
