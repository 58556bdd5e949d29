-- Resumable uploads: their sessions between requests, and what becomes of those that nobody finishes.

-- name: create_upload :opt
-- A new session, unless the device has too many open ones.
insert into upload_session (device_id, record_id, name, declared_sha256, metadata, length, expires_at)
select %(device)s, %(record)s, %(name)s, %(sha256)s, %(metadata)s, %(length)s::bigint, now() + make_interval(secs => %(ttl_s)s)
 where (select count(*) from upload_session
         where device_id = %(device)s and state in ('receiving', 'complete') and expires_at > now()) < %(most)s
returning id, record_id, name, declared_sha256, metadata, length, received, state, refusal, expires_at, false as expired;

-- name: upload_target :opt
-- What a record of this device has under a photo's name; no row while the record is not here, no kind without the name.
select p.kind, p.blob_sha256 as stored
  from asbuilt_record as r left join photo as p on p.record_id = r.id and p.name = %(name)s
 where r.id = %(record)s and r.device_id = %(device)s and r.deleted_at is null;

-- name: upload :opt
-- A session of this device.
select id, record_id, name, declared_sha256, metadata, length, received, state, refusal, expires_at,
       expires_at <= now() as expired
  from upload_session where id = %(id)s and device_id = %(device)s;

-- name: upload_progress :opt
-- So many bytes are safe. No row when the upload is settled or gone.
update upload_session
   set received = %(received)s, length = %(length)s::bigint, expires_at = now() + make_interval(secs => %(ttl_s)s),
       state = case when %(complete)s then 'complete' else 'receiving' end
 where id = %(id)s and state in ('receiving', 'complete')
returning id, record_id, name, declared_sha256, metadata, length, received, state, refusal, expires_at, false as expired;

-- name: settle_upload :opt
-- A complete upload has become a photo, or never will.
update upload_session set state = case when %(refusal)s::jsonb is null then 'accepted' else 'refused' end,
       refusal = %(refusal)s::jsonb
 where id = %(id)s and state = 'complete'
returning id, record_id, name, declared_sha256, metadata, length, received, state, refusal, expires_at, false as expired;

-- name: remove_upload :exec
-- Its device gives it up.
delete from upload_session where id = %(id)s;

-- name: waiting_uploads :many
-- Complete uploads of a device that waited for this record.
select id from upload_session
 where record_id = %(record)s and device_id = %(device)s and state = 'complete' and expires_at > now() order by created_at;

-- name: stranded_uploads :many
-- Complete uploads whose record is here: the process that should have joined the two is gone.
select u.id, u.record_id, d.id as device_id, d.label
  from upload_session as u
  join device as d on d.id = u.device_id
  join asbuilt_record as r on r.id = u.record_id and r.device_id = u.device_id and r.deleted_at is null
 where u.state = 'complete' and u.expires_at > now() order by u.created_at limit %(most)s;

-- name: expire_uploads :many
-- A small batch of sessions whose time is over, for as long as the table `retention` says.
delete from upload_session
 where id in (select id from upload_session
               where expires_at <= now() - (select keep from retention where what = 'upload' and enabled)
               order by expires_at limit %(most)s for update skip locked)
returning id;

-- name: note_expired :exec
-- A round that removed some.
select note_retention('upload', 'expired', %(removed)s, %(took_ms)s);

-- name: known_uploads :many
-- Which of these sessions exist, with bytes that are still needed.
select id from upload_session where id = any(%(ids)s) and state in ('receiving', 'complete');
