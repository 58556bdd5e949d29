-- What the portal said against the record, as findings on its fields. Nothing when the attempt is over.
create or replace function report_rejection(p_job uuid, p_attempt int, p_findings jsonb) returns void language sql as $$
    insert into defect (record_id, revision, rule, severity, field, message, evidence)
    select distinct on (f.field) j.record_id, j.revision, 'portal.rejected', 'major', f.field, f.message,
           jsonb_build_object('job', p_job, 'attempt', p_attempt, 'portal_field', f.portal_field)
      from automation_job as j
      join automation_attempt as a on a.job_id = j.id and a.attempt = p_attempt and a.ended_at is null,
           jsonb_to_recordset(p_findings) as f (field text, portal_field text, message text)
     where j.id = p_job
    on conflict (record_id, revision, rule, coalesce(field, ''), coalesce(photo, '')) do update
       set message = excluded.message, evidence = excluded.evidence, at = now(), status = 'open', by = null, reason = null,
           closed_at = null
$$;
