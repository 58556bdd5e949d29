-- ops.doctor on the lists: they show every record that is not deleted, and show it as it is.
create or replace function doctor_lines() returns table (rule text, job_id uuid, record_id uuid, sentence text, hint text)
language sql stable as $$
    select 'L1', null::uuid, r.id,
           case when r.deleted_at is not null then 'the lists show the record though it is deleted'
                when l.record_id is null then 'no list shows the record'
                else format('the lists show it as %s, %s, %s', l.job_state, l.review_state, l.severity) end,
           'delete its row of record_line; update asbuilt_record set crew = crew makes it anew'
      from asbuilt_record as r
      left join record_line as l on l.record_id = r.id
     cross join lateral record_line_facts(r.id) as f
     where (r.deleted_at is null) <> (l.record_id is not null)
        or (l.job_state, l.portal_key, l.severity, l.review_state, l.project_id)
           is distinct from (f.job_state, f.portal_key, f.severity, r.review_state, r.project_id) and l.record_id is not null
$$;
