-- By hand: DELETE and TRUNCATE of live queue rows. Nothing is lost: a running attempt needs its row no more, and the next
-- sweep gives every other job a new one.
create or replace function app_queue_deleted() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    job automation_job;
begin
    if tg_op = 'TRUNCATE' then
        insert into audit_event (actor, action, reason) values (actor(), 'queue.truncate', 'procrastinate_jobs was truncated by hand');
        return null;
    end if;
    select * into job from automation_job where queue_job_id = old.id;
    if found then
        perform note_edit(job, 'queue.delete', format('queue row %s was deleted by hand', old.id), job_view(job));
        raise notice 'job % is still %; to end it: select ops.cancel(%, ''why'')', job.id, job.state, quote_literal(job.id);
    end if;
    return null;
end $$;

create or replace trigger app_queue_deleted after delete on procrastinate_jobs for each row
    when (old.task_name = 'automation' and old.status in ('todo', 'doing'))
    execute function app_queue_deleted();

create or replace trigger app_queue_truncated before truncate on procrastinate_jobs for each statement
    execute function app_queue_deleted();
