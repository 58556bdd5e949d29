-- What every process needs of the database.

-- name: set_actor :exec
-- Who acts, for the events and audit rows of this transaction, and in which projects: acts on others find nothing.
select set_config('asbuilt.actor', %(actor)s, true), set_config('asbuilt.projects', coalesce(%(projects)s::uuid[]::text, ''), true);

-- name: set_sight :exec
-- Whose rows the next statement of this transaction finds: those of these projects.
select set_config('asbuilt.projects', %(projects)s, true);

-- name: set_brief :exec
-- How long the next statement of this transaction may take; and a commit that a crash may undo.
select set_config('statement_timeout', %(within_ms)s::text, true), set_config('synchronous_commit', 'off', true);

-- name: terminate_own_backend :exec
-- A test's injected fault: this very connection is lost.
select pg_terminate_backend(pg_backend_pid());
