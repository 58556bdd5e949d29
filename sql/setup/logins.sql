-- The logins of the processes, each with the rights of its role (docs/roles.md), and a database of its own for the demo portal. For psql, as
-- a superuser, before the first migration; passwords come from the environment: APP_PASSWORD, WORKER_PASSWORD, PORTAL_PASSWORD.
-- Safe to repeat: what is there gets its password anew.
\set ON_ERROR_STOP on
\getenv app_password APP_PASSWORD
\getenv worker_password WORKER_PASSWORD
\getenv portal_password PORTAL_PASSWORD
-- A password must not stand in the server's log when a statement is logged.
set log_statement = 'none';
set log_min_duration_statement = -1;
set log_min_error_statement = 'panic';

select format('create role %I nologin', name) from unnest('{asbuilt_app,asbuilt_worker,asbuilt_operator,asbuilt_readonly}'::text[]) as name
 where to_regrole(name) is null \gexec
select format('create role %I login', name) from unnest('{asbuilt_api,asbuilt_runs,asbuilt_portal}'::text[]) as name
 where to_regrole(name) is null \gexec
alter role asbuilt_api password :'app_password';
alter role asbuilt_runs password :'worker_password';
alter role asbuilt_portal password :'portal_password';
grant asbuilt_app to asbuilt_api;
grant asbuilt_worker to asbuilt_runs;
select 'create database portal owner asbuilt_portal' where not exists (select from pg_database where datname = 'portal') \gexec
