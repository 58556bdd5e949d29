-- ops.doctor on records: each has its upload on record, a job of its own kind, and photos that are what they say.
create or replace function doctor_records() returns table (rule text, job_id uuid, record_id uuid, sentence text, hint text)
language sql stable as $$
    select 'U4', null::uuid, r.id, 'the record has no upload in audit_event', 'it was inserted by hand, or the audit was edited'
      from asbuilt_record as r
     where not exists (select from audit_event as a where a.record_id = r.id and a.action = 'record.upload')
    union all
    select 'U5', null, r.id, 'the record has no job', 'nothing will submit it; store it through accept_record'
      from asbuilt_record as r where not exists (select from automation_job as j where j.record_id = r.id)
    union all
    select 'U6', j.id, r.id, 'project, reference or revision of the job are not its record''s', 'one of the two was edited by hand'
      from automation_job as j join asbuilt_record as r on r.id = j.record_id
     where r.project_id <> j.project_id or nth_ref(r.external_ref, j.times) <> j.external_ref or r.revision < j.revision
    union all
    select 'P1', null, p.record_id, format('photo %s holds other bytes than its phone declared', p.name), 'ask for the photo again'
      from photo as p where p.declared_sha256 <> p.blob_sha256
    union all
    select 'P2', null, r.id, format('media are %s, and %s photos are outstanding', r.media_state, outstanding),
           'update asbuilt_record.media_state'
      from asbuilt_record as r
      cross join lateral (select count(*) as outstanding from photo as p where p.record_id = r.id and p.received_at is null) as o
     where (r.media_state = 'complete') <> (outstanding = 0)
$$;
