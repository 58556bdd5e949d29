-- What must be true of a healthy system, one row for each thing that is not.
create or replace function ops.doctor(p_grace_s float8 default 60)
returns table (rule text, job_id uuid, record_id uuid, sentence text, hint text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select * from doctor_records()
    union all select * from doctor_jobs(p_grace_s)
    union all select * from doctor_queue(p_grace_s)
    union all select * from doctor_attempts(p_grace_s)
    union all select * from doctor_slots(p_grace_s)
    union all select * from doctor_events()
    union all select * from doctor_submissions()
    union all select * from doctor_lines()
$$;
comment on function ops.doctor(float8) is
    'One row for each violated invariant; none on a healthy system. What is on its way to be mended counts after the grace, in seconds.';
