-- Whether whoever asks a view of ops may see whom it is about: the owner, operators, and the web process, which asks who its own caller is.
-- Everybody else sees the same rows without people: a program that draws charts needs no names. Asked as `(select sees_people())`, once
-- a statement. The path is fixed, or a temporary table of the asker's would stand in for ours, and its owner for our owner.
create or replace function sees_people() returns boolean language sql stable set search_path = pg_catalog, public, pg_temp as $$
    select pg_has_role((select relowner from pg_class where oid = 'public.automation_job'::regclass), 'member')
        or coalesce(pg_has_role(to_regrole('asbuilt_operator')::oid, 'member'), false)
        or coalesce(pg_has_role(to_regrole('asbuilt_app')::oid, 'member'), false)
$$;
comment on function sees_people() is 'Whether who asks may see names, reasons and other words of people; members of asbuilt_readonly alone may not.';
