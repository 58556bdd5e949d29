-- Whether a project is one of those that the application says its caller may act in, for this transaction. Where it says nothing
-- (a worker, a sweep, a person at psql) every project is.
create or replace function in_sight(p_project uuid) returns boolean language sql stable as $$
    -- Of an "or", the planner may try both sides: the empty setting is no array.
    select coalesce(p_project = any (nullif(current_setting('asbuilt.projects', true), '')::uuid[]), true)
$$;
comment on function in_sight(uuid) is 'Whether the caller of this transaction may act in a project, by the setting asbuilt.projects; all, where it is not set.';
