-- The switch of a project: its records wait for the office's approval before their automation starts. Off, those that waited for
-- nothing else go on; on, those in line are held when a worker comes to them. Answers how many went on. Raises AB404 and AB422.
create or replace function ops.require_review(p_project text, p_on boolean, p_reason text) returns int
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    of_project uuid;
    was boolean;
    job automation_job;
    ids uuid[];
    waiting uuid;
    done int := 0;
begin
    if p_on is null then
        raise exception using errcode = 'AB422', message = 'it is required, or it is not', hint = 'true requires, false lets them pass';
    end if;
    select id, approval_required into of_project, was from project where code = p_project and in_sight(id) for update;
    if of_project is null then
        raise exception using errcode = 'AB404', message = format('there is no project %s', p_project),
            hint = 'select distinct project from ops.jobs';
    end if;
    update project set approval_required = p_on where id = of_project;
    insert into audit_event (actor, action, reason, project_id, before, after)
    values (actor(), 'review.require', why, of_project, jsonb_build_object('on', was), jsonb_build_object('on', p_on));
    ids := array(select j.id from automation_job as j
                  where j.project_id = of_project and j.state = 'held' and j.wait_reason = 'review' order by j.id);
    -- All jobs before the first gate: who holds one of them may be waiting for it.
    foreach waiting in array ids loop
        perform lock_job(waiting);
    end loop;
    foreach waiting in array ids loop
        job := lock_job(waiting);
        if job.wait_reason = 'review' and record_needs(job.record_id) is distinct from 'review' then
            perform resume_job(job);
            done := done + 1;
        end if;
    end loop;
    return done;
end $$;
comment on function ops.require_review(text, boolean, text) is
    'Have the office approve each record of a project before its automation starts; off lets those that wait go on. Give the reason.';
