-- Records as the office sees them.

-- name: get_record :opt
-- One record with everything the page of a record shows, but for its attempts and its timeline.
select record_row(r) as row, r.project_id, r.fields, r.h_accuracy_m, review_view(r) as review, o.approval_required,
       json_build_object('lat', o.site_lat, 'lon', o.site_lon, 'radius_m', o.site_radius_m, 'boundary', o.boundary) as site,
       json_build_object('title', f.title, 'schema', f.schema, 'shots', f.shots, 'measures', f.measures) as form,
       (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'shot_key', p.shot_key, 'kind', p.kind,
            'size', coalesce(b.size, p.declared_size), 'type', coalesce(b.type, p.declared_type), 'width', p.width,
            'height', p.height, 'taken_at', p.taken_at, 'lat', p.lat, 'lon', p.lon, 'received_at', p.received_at,
            'rejected_reason', p.rejected_reason, 'stored', p.blob_sha256 is not null) order by p.shot_key, p.name), '[]')
          from photo as p left join blob as b on b.sha256 = p.blob_sha256 where p.record_id = r.id) as photos,
       (select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'rule', d.rule, 'severity', d.severity, 'field', d.field,
            'photo', d.photo, 'message', d.message, 'evidence', d.evidence, 'status', d.status, 'at', d.at,
            'by', d.by, 'reason', d.reason, 'closed_at', d.closed_at)
            order by array_position('{blocker,major,minor,info}', d.severity), d.at, d.id), '[]')
          from defect as d where d.record_id = r.id) as defects
  from asbuilt_record as r
  join project as o on o.id = r.project_id
  join form_def as f on f.form_key = r.form_key and f.version = r.form_version
 where r.id = %(id)s and r.deleted_at is null and (r.project_id = any(%(projects)s) or r.device_id = %(device)s);

-- name: project_of_record :opt
-- Whose record it is, if the caller may see it.
select r.project_id
  from asbuilt_record as r
 where r.id = %(record)s and r.deleted_at is null and (r.project_id = any(%(projects)s) or r.device_id = %(device)s);

-- name: review_record :one
-- The office's decision; the operators' own function.
select ops.review(%(record)s, %(decision)s, %(note)s, %(version)s::int) as view;

-- name: find_defect :opt
-- The project of a record's defect, if the caller may see the record.
select r.project_id
  from defect as d join asbuilt_record as r on r.id = d.record_id
 where d.id = %(defect)s and r.id = %(record)s and r.deleted_at is null
   and (r.project_id = any(%(projects)s) or r.device_id = %(device)s);

-- name: waive_defect :one
-- A person lets a defect stand; the operators' own function.
select ops.waive(%(defect)s, %(reason)s) as view;

-- name: attempts_of_record :many
-- Every attempt of every job of a record, newest first, each with its steps.
select attempt_view(a) as view
  from automation_attempt as a join automation_job as j on j.id = a.job_id
 where j.record_id = %(record)s
 order by a.started_at desc;

-- name: timeline_of_record :many
-- Every event of every job of a record, in order, and every act of a person on it.
select e.at, e.seq, e.kind, e.actor, e.data ->> 'state' as state, e.data, e.job_id
  from job_event as e join automation_job as j on j.id = e.job_id
 where j.record_id = %(record)s
union all
select a.at, 0, a.action, a.actor, null, jsonb_build_object('reason', a.reason), a.job_id
  from audit_event as a
 where a.record_id = %(record)s and a.action <> 'record.upload'
 order by at, seq;

-- name: find_photo :opt
-- Where the bytes of a photo are, if the caller may see its record.
select p.blob_sha256, b.type, b.size, p.name
  from photo as p join asbuilt_record as r on r.id = p.record_id join blob as b on b.sha256 = p.blob_sha256
 where p.record_id = %(record)s and p.name = %(name)s and r.deleted_at is null
   and (r.project_id = any(%(projects)s) or r.device_id = %(device)s);

-- name: comments_of_record :many
-- A page of what was said about a record, newest first.
select c.id, c.author, c.text, c.at
  from comment as c
 where c.record_id = %(record)s and (c.at, c.id) < (%(at)s, %(after)s)
 order by c.at desc, c.id desc
 limit %(limit)s;

-- name: add_comment :one
-- Say something; the operators' own function.
select ops.comment(%(record)s, %(text)s) as view;

-- name: revisions_of_record :many
-- Every content a record had, oldest first. A reason is that of the office, which sent the content before it back.
select v.revision, v.at, v.by, coalesce(nullif(v.reason, ''), (
           select a.reason from audit_event as a
            where a.record_id = v.record_id and a.action in ('record.has_issues', 'record.rejected')
              and (a.after ->> 'revision')::int = v.revision - 1
            order by a.id desc limit 1), '') as reason, v.content <> '{}' as whole
  from record_revision as v
 where v.record_id = %(record)s
 order by v.revision
 limit 1000;

-- name: revisions_to_compare :many
-- Two revisions of a record, whole.
select revision, fields, content from record_revision
 where record_id = %(record)s and revision in (%(earlier)s::int, %(later)s::int)
 order by revision;
