-- The state and portal of a record's latest job, in its line. Whoever writes a job has locked it, and locks the line after it.
create or replace function record_line_jobs() returns trigger language plpgsql as $$
begin
    update record_line
       set job_state = new.state, portal_key = (select portal_key from portal_account where id = new.account_id)
     where record_id = new.record_id
       and not exists (select from automation_job as j where j.record_id = new.record_id and j.created_at > new.created_at);
    return null;
end $$;

create or replace trigger record_line_job_new after insert on automation_job
    for each row execute function record_line_jobs();
create or replace trigger record_line_job_changed after update of state, account_id on automation_job
    for each row when (old.state <> new.state or old.account_id <> new.account_id) execute function record_line_jobs();
