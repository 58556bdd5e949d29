-- Lines for the records that have none: all that were there before the lists had lines. Triggers make every later one.
insert into record_line (record_id, project_id, received_at, captured_at, review_state, job_state, portal_key, severity, search)
select r.id, r.project_id, r.received_at, r.captured_at, r.review_state, f.job_state, f.portal_key, f.severity, record_line_text(r)
  from asbuilt_record as r
 cross join lateral record_line_facts(r.id) as f
 where r.deleted_at is null and not exists (select from record_line as l where l.record_id = r.id)
on conflict do nothing;
