-- The four group roles, and what nobody else has. Nobody signs in as one of them: each login is made a member of one,
-- `create role api login password '…' in role asbuilt_app`. Roles belong to the cluster and not to the database, so they are
-- looked for at every migration: a database that was restored into another cluster finds none.
do $$
declare
    made text;
    found regprocedure;
begin
    foreach made in array array['asbuilt_app', 'asbuilt_worker', 'asbuilt_operator', 'asbuilt_readonly'] loop
        continue when to_regrole(made) is not null;
        begin
            execute format('create role %I nologin', made);
        exception
            -- Another database of the cluster is migrated at this moment.
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
                raise warning 'role % is missing, and % may not create it: nobody is granted anything yet', made, current_user
                    using hint = format('as a user who may: create role %I nologin; then: asbuilt migrate', made);
        end;
    end loop;
    -- A database that was made before Postgres 15 lets everybody create tables and functions beside ours, where every `search_path` finds them.
    if has_schema_privilege('public', 'public', 'create') then
        begin
            revoke create on schema public from public;
        exception when insufficient_privilege then null;
        end;
        if has_schema_privilege('public', 'public', 'create') then
            raise warning 'everybody may create objects in schema public, and % may not take that back', current_user
                using hint = 'as the owner of the schema: revoke create on schema public from public';
        end if;
    end if;
    revoke all on all tables in schema public, ops from public;
    revoke all on schema ops from public;
    -- Every function may be executed by everybody until that is taken back.
    for found in select p.oid from pg_proc as p
                  where p.pronamespace in ('public'::regnamespace, 'ops'::regnamespace) and pg_has_role(p.proowner, 'member')
                    and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e') loop
        execute format('revoke all on function %s from public', found);
    end loop;
end $$;
