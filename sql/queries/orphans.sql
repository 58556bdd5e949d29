-- What the collector of orphaned files asks of the rows.

-- name: take_turn :opt
-- Whether this process has the next round of a duty; no row when another one had it a moment ago.
insert into turn (name, next_at) values (%(name)s, now() + make_interval(secs => %(pause_s)s))
on conflict (name) do update set next_at = excluded.next_at where turn.next_at <= now()
returning next_at;

-- name: release_blobs :many
-- Of these hashes, those that no row stands for any more.
select sha256 from release_blobs(%(sha256)s, %(older_s)s) as sha256;

-- name: files_kept :opt
-- How long a file without a row is kept; no row: for ever.
select extract(epoch from keep)::float8 as after_s from retention where what = 'file' and enabled;

-- name: note_files :exec
-- A round of the collector.
select note_retention('file', 'orphaned', %(removed)s, %(took_ms)s);
