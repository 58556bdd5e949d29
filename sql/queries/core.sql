-- What every process needs of the database.

-- name: set_actor :exec
-- Who acts, for the events and audit rows of this transaction.
select set_config('asbuilt.actor', %(actor)s, true);
