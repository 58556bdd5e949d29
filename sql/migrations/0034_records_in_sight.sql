-- The second wall for reads (docs/decisions/0016): whoever reads for a caller names the caller's projects in `asbuilt.projects`, for
-- that transaction, and rows of other projects are not there. Where nothing is set (workers, uploads, people at psql), all are.
-- First of what was built: projects, their records, and what belongs to these.
--
-- The setting is looked at once a statement, by a subquery of its own. It is asked for with "is not null", which the planner takes for
-- nearly always so: of "= any" it would expect a few rows, and plan for a few.
do $$
declare
    sight constant text := '(select nullif(current_setting(''asbuilt.projects'', true), '''')::uuid[])';
    walled text;
begin
    execute format('create policy in_sight on project using (%1$s is null or array_position(%1$s, id) is not null)', sight);
    foreach walled in array array['asbuilt_record', 'design_asset', 'record_serial'] loop
        execute format('create policy in_sight on %I using (%2$s is null or array_position(%2$s, project_id) is not null)', walled, sight);
    end loop;
    -- What belongs to a record is in sight where the record is. Not "exists", for which a plan may read all records first.
    foreach walled in array array['record_revision', 'photo', 'defect', 'comment', 'record_check'] loop
        execute format('create policy in_sight on %I using (%s is null'
                       ' or (select r.id from asbuilt_record as r where r.id = record_id) is not null)', walled, sight);
    end loop;
    foreach walled in array array['project', 'asbuilt_record', 'design_asset', 'record_serial', 'record_revision', 'photo', 'defect',
                                  'comment', 'record_check'] loop
        execute format('alter table %I enable row level security', walled);
    end loop;
end $$;
