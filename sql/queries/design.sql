-- The plan of a project, as a file brings it in.

-- name: lock_project :opt
-- The project, held against another import of its plan; uploads go on, since they only refer to it.
select id from project where code = %(code)s for no key update;

-- name: put_assets :one
-- Assets as the file has them, and how many were new, something else, or the same; the same ones are not written.
with given as (
    select a.asset, a.kind, a.lat, a.lon, a.tolerance_m, a.expected,
           d.id is not null as known,
           (d.kind, d.lat, d.lon, d.tolerance_m, d.expected)
               is not distinct from (a.kind, a.lat, a.lon, a.tolerance_m, a.expected) as same
      from jsonb_to_recordset(%(assets)s) as a (asset text, kind text, lat double precision, lon double precision,
               tolerance_m double precision, expected jsonb)
      left join design_asset as d on d.project_id = %(project)s and d.asset_key = a.asset),
put as (
    insert into design_asset (project_id, asset_key, kind, lat, lon, tolerance_m, expected)
    select %(project)s, asset, kind, lat, lon, tolerance_m, expected from given where not same
    on conflict (project_id, asset_key) do update
       set kind = excluded.kind, lat = excluded.lat, lon = excluded.lon, tolerance_m = excluded.tolerance_m,
           expected = excluded.expected)
select count(*) filter (where not known) as new, count(*) filter (where known and not same) as changed,
       count(*) filter (where known and same) as same
  from given;

-- name: count_assets :one
-- How many assets the project's plan has now.
select count(*) as assets from design_asset where project_id = %(project)s;

-- name: uncompared :many
-- Planned values, by the first step of their path, that no form's rules name: spelt wrong, or waiting for a form.
select path
  from (select distinct jsonb_object_keys(expected) as path from design_asset where project_id = %(project)s) as planned
 where not exists (
    select from form_def as f
      cross join jsonb_array_elements(case when jsonb_typeof(f.rules -> 'design') = 'array' then f.rules -> 'design' else '[]' end) as r
     where split_part(r ->> 'expected', '/', 1) = path)
 order by path
 limit 20;

-- name: audit_import :exec
-- Who brought in which file, and what it changed.
insert into audit_event (actor, action, reason, project_id, after)
values (actor(), 'design.import', %(source)s, %(project)s,
        jsonb_build_object('new', %(new)s::bigint, 'changed', %(changed)s::bigint, 'same', %(same)s::bigint));
