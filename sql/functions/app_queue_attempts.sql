-- By hand: the number of attempts of a queue row. Nothing reads it, and whoever sets it wants something else.
create or replace function app_queue_attempts() returns trigger language plpgsql as $$
begin
    raise notice 'a queue row''s attempts decide nothing; for a fresh budget: select ops.retry(%, ''why'')',
        quote_literal(old.args ->> 'automation_job_id');
    return null;
end $$;

create or replace trigger app_queue_attempts after update of attempts on procrastinate_jobs for each row
    when (old.task_name = 'automation' and new.status = old.status and new.attempts <> old.attempts)
    execute function app_queue_attempts();
