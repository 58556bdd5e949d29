-- Number every change of a job, gap-free: the row's own lock is what makes the numbers dense.
create or replace function job_stamp() returns trigger language plpgsql as $$
begin
    new.seq := case tg_op when 'INSERT' then 1 else old.seq + 1 end;
    new.changed_at := clock_timestamp();
    new.changed_xid := pg_current_xact_id();
    return new;
end $$;

create or replace trigger job_stamp before insert or update on automation_job
    for each row execute function job_stamp();
