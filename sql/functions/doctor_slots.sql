-- ops.doctor on admission: every open attempt has its slot, no slot stays with a job that needs it no more, and nobody waits
-- beside a free one.
create or replace function doctor_slots(p_grace_s float8)
returns table (rule text, job_id uuid, record_id uuid, sentence text, hint text) language sql stable as $$
    select 'Q1', j.id, j.record_id, format('attempt %s is open and holds none of the slots of its account', a.attempt),
           'it began before slots were kept, or portal_slot was edited by hand'
      from automation_attempt as a join automation_job as j on j.id = a.job_id
     where a.ended_at is null and not exists (select from portal_slot as s where s.job_id = j.id)
    union all
    select 'Q2', j.id, j.record_id, format('the job waits for %s since %s, and a slot is free', j.wait_reason, j.changed_at),
           'a worker''s next sweep gives it the slot; is a worker alive?'
      from portal_account as p
      cross join lateral (select * from automation_job as w where w.account_id = p.id and w.state = 'queued'
                             and w.wait_reason is not null order by w.queued_at, w.id limit 1) as j
     where account_closed(p) is null and greatest(j.changed_at, j.ready_at) < clock_timestamp() - make_interval(secs => p_grace_s)
       and exists (select from portal_slot as s
                    where s.account_id = p.id and s.job_id is null
                      and (p.breaker_until is null or s.n = (select min(n) from portal_slot where account_id = p.id)))
    union all
    select 'Q3', s.job_id, j.record_id, format('slot %s is held, and its job is %s', s.n, coalesce(j.state, 'gone')),
           'a worker''s next sweep frees it; is a worker alive?'
      from portal_slot as s left join automation_job as j on j.id = s.job_id
     where s.job_id is not null
       and (j.id is null or j.state in ('completed', 'failed', 'cancelled')
            or s.run_at is null and (j.state in ('held', 'awaiting_media') or j.wait_reason in ('slot', 'breaker')))
$$;
