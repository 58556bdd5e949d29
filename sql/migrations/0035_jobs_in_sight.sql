-- The second wall for reads (0034), of what happens to records: jobs, what belongs to them, and the audit.
do $$
declare
    sight constant text := '(select nullif(current_setting(''asbuilt.projects'', true), '''')::uuid[])';
    walled text;
begin
    -- An attempt by its own project: charts read a month of them from one index, which does not hold the job.
    foreach walled in array array['automation_job', 'automation_attempt'] loop
        execute format('create policy in_sight on %I using (%2$s is null or array_position(%2$s, project_id) is not null)', walled, sight);
    end loop;
    -- Acts on portal accounts are of no project.
    execute format('create policy in_sight on audit_event using (%1$s is null or project_id is null'
                   ' or array_position(%1$s, project_id) is not null)', sight);
    foreach walled in array array['job_event', 'automation_step', 'artifact', 'automation_input', 'automation_run',
                                  'portal_submission'] loop
        execute format('create policy in_sight on %I using (%s is null'
                       ' or (select j.id from automation_job as j where j.id = job_id) is not null)', walled, sight);
    end loop;
    foreach walled in array array['automation_job', 'automation_attempt', 'audit_event', 'job_event', 'automation_step', 'artifact',
                                  'automation_input', 'automation_run', 'portal_submission'] loop
        execute format('alter table %I enable row level security', walled);
    end loop;
end $$;
