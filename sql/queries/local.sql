-- What the local stack sets up for itself: its database, and a demo project that can be used at once.

-- name: has_database :one
-- Whether the local server has our database yet.
select exists (select from pg_database where datname = 'asbuilt') as there;

-- name: create_database :exec
-- Our database on the local server; outside a transaction.
create database asbuilt;

-- name: has_logins :one
-- Whether the accounts of the local server's web process and worker are there.
select to_regrole('asbuilt_local_app') is not null as app, to_regrole('asbuilt_local_worker') is not null as worker;

-- name: create_app_login :exec
-- The web process's account. The server's socket lets in whoever owns the home, so it needs no password.
create role asbuilt_local_app login in role asbuilt_app;

-- name: create_worker_login :exec
-- The worker's.
create role asbuilt_local_worker login in role asbuilt_worker;

-- name: put_portals :exec
-- The demo portals, at the address they have this time; the version of the recipe stays as a person has chosen it.
insert into portal (key, name, url, recipe, recipe_version)
values ('npl', 'Northfield Power & Light', %(url)s, 'npl-asbuilt', 2),
       ('harbor', 'Harbor Fiber Cooperative', %(url)s || '/harbor', 'harbor-closeout', 1)
on conflict (key) do update set url = excluded.url;

-- name: put_portal_account :one
-- Our account at a demo portal.
with put as (
    insert into portal_account (portal_key, label, max_runs) values (%(portal)s, 'default', %(max_runs)s)
    on conflict (portal_key, label) do nothing
    returning id)
select id from put union all select id from portal_account where portal_key = %(portal)s and label = 'default' limit 1;

-- name: put_project :exec
-- A demo project; a person's later changes to it stay.
insert into project (code, name, customer, tz, site_lat, site_lon, site_radius_m, portal_account_id)
values (%(code)s, %(name)s, %(customer)s, 'America/Chicago', 44.4583, -93.1616, 8000, %(account)s)
on conflict (code) do nothing;

-- name: put_form :exec
-- A form version as it ships; one that is there is never edited.
insert into form_def (form_key, version, title, schema, shots, measures, rules)
values (%(form_key)s, %(version)s, %(title)s, %(schema)s, %(shots)s, %(measures)s, %(rules)s)
on conflict (form_key, version) do nothing;

-- name: last_beat :one
-- The youngest sign of life of a worker of this host that has not ended by itself.
select extract(epoch from clock_timestamp() - max(seen_at))::float8 as age_s, coalesce(max(beat_s), 0)::float8 as beat_s
  from worker where ended_at is null and starts_with(name, %(host)s || ':');
