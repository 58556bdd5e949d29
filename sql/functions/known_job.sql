-- The job of an act, locked. Raises AB404.
create or replace function known_job(p_job uuid) returns automation_job language plpgsql as $$
declare
    job automation_job := lock_job(p_job);
begin
    if job.id is null then
        raise exception using errcode = 'AB404', message = format('there is no job %s', p_job),
            hint = 'select id, external_ref, state from ops.jobs';
    end if;
    return job;
end $$;
