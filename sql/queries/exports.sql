-- Exports: what matches, page by page, so that no statement and no connection lasts as long as the download.

-- name: forms_matching :many replanned
-- The forms that the matching records were filled in from: their fields are the columns.
select f.schema, f.form_key, f.version
  from (select distinct r.form_key, r.form_version
          from record_lines(%(projects)s, %(filter)s) as l join asbuilt_record as r on r.id = l.record_id) as used
  join form_def as f on f.form_key = used.form_key and f.version = used.form_version
 order by f.form_key, f.version;

-- name: export_page :many replanned
-- The next matching records, each whole.
select record_row(r) as row, r.fields, r.h_accuracy_m, r.altitude_m, l.received_at, l.record_id as id
  from (select m.received_at, m.record_id
          from record_lines(%(projects)s, %(filter)s) as m
         where (m.received_at, m.record_id) < (%(at)s, %(after)s)
         order by m.received_at desc, m.record_id desc
         limit %(limit)s) as l
  join asbuilt_record as r on r.id = l.record_id
 order by l.received_at desc, l.record_id desc;

-- name: photos_page :many replanned
-- The next matching records with their photos, in order of shot and name.
select r.external_ref, r.asset_key, l.received_at, l.record_id as id,
       (select coalesce(jsonb_agg(jsonb_build_object('name', p.name, 'shot', p.shot_key, 'type', b.type, 'size', b.size,
                   'sha256', encode(p.blob_sha256, 'hex'), 'rejected', p.rejected_reason, 'taken_at', p.taken_at)
                   order by p.shot_key, p.name), '[]')
          from photo as p left join blob as b on b.sha256 = p.blob_sha256 where p.record_id = r.id) as photos
  from (select m.received_at, m.record_id
          from record_lines(%(projects)s, %(filter)s) as m
         where (m.received_at, m.record_id) < (%(at)s, %(after)s)
         order by m.received_at desc, m.record_id desc
         limit %(limit)s) as l
  join asbuilt_record as r on r.id = l.record_id
 order by l.received_at desc, l.record_id desc;
