-- What phones read: the forms, and the records that came back.

-- name: open_forms :many
-- Every form version that takes records.
select form_key, version, title, state from form_def where state in ('open', 'closing') order by form_key, version desc;

-- name: form :opt
-- One form version whole; also a closed one, for drafts that were begun with it.
select form_key, version, title, state, schema, shots, measures, rules
  from form_def
 where form_key = %(form)s and version = %(version)s and state <> 'draft';

-- name: inbox :many
-- A page of a device's records that its crew should look at: sent back by the office, or with a grave finding while the
-- portal has not got them yet.
select r.id, r.revision, r.form_key, r.form_version, r.asset_key, r.review_state, r.review_note, r.received_at, j.id as job_id,
       j.state as job_state, (select count(*) from photo where record_id = r.id) as expected,
       (select coalesce(jsonb_agg(name order by name), '[]') from photo
         where record_id = r.id and received_at is null) as missing,
       (select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'rule', d.rule, 'severity', d.severity,
            'field', d.field, 'photo', d.photo, 'message', d.message)
            order by array_position('{blocker,major,minor,info}', d.severity), d.at, d.id), '[]')
          from defect as d where d.record_id = r.id and d.status = 'open') as defects
  from asbuilt_record as r
  join lateral (select id, state from automation_job where record_id = r.id order by created_at desc limit 1) as j on true
 where r.device_id = %(device)s and r.deleted_at is null and (r.received_at, r.id) < (%(at)s, %(after)s)
   and (r.review_state in ('has_issues', 'rejected') or (j.state <> 'completed' and exists (
        select from defect as d where d.record_id = r.id and d.status = 'open' and d.severity in ('blocker', 'major'))))
 order by r.received_at desc, r.id desc
 limit %(limit)s;
