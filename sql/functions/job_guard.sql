-- A job's state moves in our functions only: they lock queue row and job in the one order, and settle attempt, queue row and
-- submission with it. lock_job says for which job this transaction does so.
create or replace function job_guard() returns trigger language plpgsql as $$
begin
    if current_setting('asbuilt.locked_job', true) is distinct from old.id::text then
        raise exception using errcode = 'AB403',
            message = format('the state of job %s is not set by hand', old.id),
            hint = format('select ops.%s(%L, ''why'')', case when new.state = 'cancelled' then 'cancel'
                                                                   when old.state = 'completed' then 'run_again' else 'retry' end, old.id);
    end if;
    return new;
end $$;

create or replace trigger job_guard before update of state on automation_job for each row
    when (new.state <> old.state) execute function job_guard();
