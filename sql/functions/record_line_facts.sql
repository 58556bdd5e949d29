-- What a record's line says of its latest job and its open findings.
create or replace function record_line_facts(p_record uuid, out job_state text, out portal_key text, out severity text)
language sql stable as $$
    select j.state, j.portal_key,
           coalesce((select d.severity from defect as d where d.record_id = p_record and d.status = 'open'
                      order by array_position('{blocker,major,minor,info}', d.severity) limit 1), 'none')
      from (select 1) as always
      left join lateral (
        select a.state, p.portal_key from automation_job as a join portal_account as p on p.id = a.account_id
         where a.record_id = p_record order by a.created_at desc limit 1) as j on true
$$;
