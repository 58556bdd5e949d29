create or replace view ops.records as
select r.id, r.external_ref, p.code as project, r.form_key as form, r.asset_key as asset,
       case when (select sees_people()) then r.crew end as crew, case when (select sees_people()) then d.label end as device, r.revision,
       r.received_at, r.captured_at, r.review_state, r.media_state,
       (select count(*) from photo as f where f.record_id = r.id and f.blob_sha256 is not null) as photos,
       (select count(*) from defect as f where f.record_id = r.id and f.status = 'open' and f.severity = 'blocker') as open_blockers,
       j.id as job_id, j.state, j.wait_reason, j.attempt, j.error_code, j.confirmation, j.finished_at
  from asbuilt_record as r
  join project as p on p.id = r.project_id
  join device as d on d.id = r.device_id
  left join lateral (select * from automation_job as a where a.record_id = r.id order by a.created_at desc limit 1) as j on true
 where r.deleted_at is null;
comment on view ops.records is 'Where is my record? One row a record, with its latest job. Find it by id, external_ref or project and asset; what happened to it is in ops.timeline.';
comment on column ops.records.external_ref is 'Our reference for it, under which the portal has it. Where it was run again, the portal has it under others too: ops.submissions.';
comment on column ops.records.device is 'The phone that sent it first. As crew, hidden from members of asbuilt_readonly.';
comment on column ops.records.review_state is 'What the office says: received, has_issues, rejected or approved.';
comment on column ops.records.media_state is 'awaiting: photos were announced that have not come.';
comment on column ops.records.photos is 'Photos that are here.';
comment on column ops.records.open_blockers is 'Findings that hold the job until they are mended or waived.';
comment on column ops.records.confirmation is 'The portal''s own number for it: it was taken in.';
