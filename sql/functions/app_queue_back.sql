-- By hand: a running queue row set back to todo. Refused while its attempt runs: the attempt would go on all the same.
create or replace function app_queue_back() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    attempt automation_attempt;
begin
    select * into attempt from automation_attempt where queue_job_id = old.id and ended_at is null;
    if found then
        raise exception using errcode = 'AB409',
            message = format('attempt %s of job %s runs on queue row %s', attempt.attempt, attempt.job_id, old.id),
            hint = format('to stop it: select ops.cancel(%L, ''why''); a lost worker''s attempt is taken over by itself',
                          attempt.job_id);
    end if;
    return new;
end $$;

create or replace trigger app_queue_back before update of status on procrastinate_jobs for each row
    when (old.task_name = 'automation' and old.status = 'doing' and new.status = 'todo')
    execute function app_queue_back();
