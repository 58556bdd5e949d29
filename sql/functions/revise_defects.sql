-- The findings on a new revision of a record, in the transaction that stores it. What was found before and is found again
-- moves along, a waiver only while nothing about it has changed; what is not found again is fixed, but for findings on
-- photos, whose bytes are the same and are not looked at again.
create or replace function revise_defects(p_record uuid, p_revision int, p_defects jsonb) returns void language plpgsql as $$
begin
    update defect as d
       set revision = p_revision, severity = f.severity, message = f.message, evidence = f.evidence,
           status = case when f.kept then d.status else 'open' end, by = case when f.kept then d.by end,
           reason = case when f.kept then d.reason end, closed_at = case when f.kept then d.closed_at end
      from (select o.id, n.severity, n.message, coalesce(n.evidence, '{}') as evidence,
                   o.status = 'waived' and n.severity = o.severity and coalesce(n.evidence, '{}') = o.evidence as kept
              from defect as o
              join jsonb_to_recordset(p_defects)
                   as n (rule text, severity text, field text, photo text, message text, evidence jsonb)
                on (o.rule, coalesce(o.field, ''), coalesce(o.photo, '')) = (n.rule, coalesce(n.field, ''), coalesce(n.photo, ''))
             where o.record_id = p_record and o.revision < p_revision and o.status in ('open', 'waived')) as f
     where d.id = f.id;
    update defect set revision = p_revision
     where record_id = p_record and revision < p_revision and status in ('open', 'waived') and photo is not null;
    update defect set status = 'fixed', by = actor(), reason = format('revision %s', p_revision), closed_at = clock_timestamp()
     where record_id = p_record and revision < p_revision and status = 'open';
    perform add_defects(p_record, p_revision, p_defects);
end $$;
