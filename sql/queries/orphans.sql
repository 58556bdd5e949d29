-- What the collector of orphaned files asks of the rows.

-- name: take_turn :opt
-- Whether this process has the next round of a duty; no row when another one had it a moment ago.
insert into turn (name, next_at) values (%(name)s, now() + make_interval(secs => %(pause_s)s))
on conflict (name) do update set next_at = excluded.next_at where turn.next_at <= now()
returning next_at;

-- name: release_blobs :many
-- Of these hashes, those that no row stands for any more.
select sha256 from release_blobs(%(sha256)s, %(older_s)s) as sha256;
