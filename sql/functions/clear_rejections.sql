-- The portal has taken the record in: what it said against it before is settled.
create or replace function clear_rejections(p_job uuid) returns void language sql as $$
    update defect as d set status = 'fixed', by = 'portal', reason = 'the portal took the record in',
           closed_at = clock_timestamp()
      from automation_job as j
     where j.id = p_job and d.record_id = j.record_id and d.rule = 'portal.rejected' and d.status = 'open'
$$;
