-- Uploads: what a record is checked against, the transaction, and the receipt.

-- name: intake_context :opt
-- The device's project and one form version; no row when the code is not the device's project.
select p.id as project_id, p.state as project_state, p.tz, p.starts_on, p.site_lat, p.site_lon, p.site_radius_m,
       p.boundary, p.portal_account_id is not null as has_portal,
       f.title, f.state as form_state, f.schema, f.shots, f.measures, f.rules,
       (select max(n.version) from form_def as n
         where n.form_key = f.form_key and n.version > f.version and n.state = 'open') as newer_version
  from device as d
  join project as p on p.id = d.project_id
  left join form_def as f on f.form_key = %(form)s and f.version = %(version)s and f.state <> 'draft'
 where d.id = %(device)s and p.code = %(project)s;

-- name: related :one
-- What a record is compared with besides its form: its asset's design, and records that are here already, other than itself
-- and the one it supersedes.
select (select jsonb_build_object('kind', d.kind, 'expected', d.expected, 'lat', d.lat, 'lon', d.lon,
            'tolerance_m', d.tolerance_m)
          from design_asset as d where d.project_id = %(project)s and d.asset_key = %(asset)s) as design,
       exists (select from design_asset where project_id = %(project)s) as has_design,
       (select jsonb_build_object('id', r.id, 'reference', r.external_ref)
          from asbuilt_record as r
         where r.project_id = %(project)s and r.asset_key = %(asset)s and r.form_key = %(form)s and r.asset_key <> ''
           and r.id <> all(%(besides)s::uuid[]) and r.deleted_at is null and r.review_state <> 'rejected'
         limit 1) as recorded,
       (select coalesce(jsonb_agg(o.twin), '[]')
          from unnest(%(photos)s::bytea[]) as s (sha256)
          cross join lateral photo_elsewhere(s.sha256, %(project)s, %(besides)s::uuid[]) as o (twin)
         where o.twin is not null) as photos,
       (select coalesce(jsonb_agg(o.other), '[]')
          from unnest(%(serials)s::text[]) as s (serial)
          cross join lateral (
            select jsonb_build_object('serial', n.serial, 'id', r.id, 'reference', r.external_ref, 'field', n.field)
              from record_serial as n join asbuilt_record as r on r.id = n.record_id
             where n.project_id = %(project)s and n.serial = s.serial and r.id <> all(%(besides)s::uuid[])
               and r.deleted_at is null and r.review_state <> 'rejected' limit 1) as o (other)) as serials,
       (select jsonb_build_object('id', r.id, 'reference', r.external_ref, 'captured_at', r.captured_at, 'lat', r.lat,
            'lon', r.lon, 'h_accuracy_m', r.h_accuracy_m)
          from (select * from asbuilt_record where device_id = %(device)s order by received_at desc limit 20) as r
         where r.crew = %(crew)s and r.captured_at <= %(captured_at)s and r.lat is not null
           and r.id <> all(%(besides)s::uuid[]) and r.deleted_at is null
         order by r.captured_at desc limit 1) as previous;

-- name: accept_record :one
-- The upload's transaction.
select outcome, job_id, job_state, received_at
  from accept_record(%(project)s, %(device)s, %(record)s, %(photos)s, %(defects)s, %(fingerprint)s, %(max_attempts)s,
                     %(actor)s);

-- name: correct_record :one
-- A correction's transaction.
select outcome
  from correct_record(%(project)s, %(device)s, %(expected)s, %(record)s, %(photos)s, %(defects)s, %(fingerprint)s, %(actor)s);

-- name: accept_photo :one
-- A photo's transaction.
select outcome from accept_photo(%(record)s, %(photo)s, %(defects)s, %(actor)s);

-- name: receipt :opt
-- What is stored of a record, for the device that sent it or a reader of its project.
select r.id as record_id, r.review_state, r.received_at, r.revision, r.fingerprint, j.id as job_id, j.state as job_state,
       (select coalesce(jsonb_agg(jsonb_build_object('name', p.name, 'shot', p.shot_key,
            'received', p.received_at is not null, 'sha256', encode(p.blob_sha256, 'hex'), 'size', b.size,
            'rejected_reason', p.rejected_reason) order by p.name), '[]')
          from photo as p left join blob as b on b.sha256 = p.blob_sha256 where p.record_id = r.id) as photos,
       (select coalesce(jsonb_agg(jsonb_build_object('rule', d.rule, 'severity', d.severity, 'field', d.field,
            'photo', d.photo, 'message', d.message) order by d.at, d.id), '[]')
          from defect as d where d.record_id = r.id and d.status = 'open') as defects
  from asbuilt_record as r
  join lateral (select id, state from automation_job where record_id = r.id order by created_at desc limit 1) as j on true
 where r.id = %(record)s and r.deleted_at is null
   and (r.device_id = %(device)s or r.project_id = any(%(projects)s));

-- name: photo_context :opt
-- A record of this device (null: of any), as far as the checks of a late photo look at it.
select r.id, r.device_id, p.code as project, r.form_key, r.form_version, r.asset_key, r.fields, r.lat, r.lon, r.h_accuracy_m,
       r.captured_at, r.fingerprint,
       photo_elsewhere(%(sha256)s, r.project_id, array[r.id]) as twin,
       (select jsonb_agg(jsonb_build_object('name', name, 'shot', shot_key, 'kind', kind,
            'sha256', encode(declared_sha256, 'hex'), 'size', declared_size, 'stored', encode(blob_sha256, 'hex'),
            'dhash', dhash, 'checks', checks, 'refused', rejected_reason, 'unreadable', (select message from defect as d where d.record_id = r.id
                and d.photo = photo.name and d.rule = 'photo-unreadable' and d.status = 'open' limit 1)) order by name)
          from photo where record_id = r.id) as photos
  from asbuilt_record as r join project as p on p.id = r.project_id
 where r.id = %(record)s and (%(device)s::uuid is null or r.device_id = %(device)s) and r.deleted_at is null;

-- name: settle_check :one
-- What was found on a photo whose checks were deferred, or that there is none left.
select settle_check(%(record)s, %(photo)s, %(defects)s) as remain;

-- name: claim_key :one
-- What an Idempotency-Key of this device stands for, from now on or since it was first seen; one that was kept long enough is new.
insert into idempotency_key as k (device_id, key, fingerprint)
values (%(device)s, %(key)s, %(fingerprint)s)
on conflict (device_id, key) do update
   set (fingerprint, at) = (
        select case when spent then excluded.fingerprint else k.fingerprint end, case when spent then now() else k.at end
          from (select coalesce(k.at < now() - max(keep), false) as spent from retention where what = 'idempotency key') as policy)
returning fingerprint;
