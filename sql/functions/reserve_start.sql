-- The seconds an attempt waits, under its lease, before it starts its run: the account's starts are evenly spaced. None for a
-- run that has begun already, or where no rate is set.
create or replace function reserve_start(p_job uuid, p_attempt int) returns float8 language sql as $$
    with reserved as (
        update portal_account as a
           set next_start_at = greatest(a.next_start_at, clock_timestamp()) + make_interval(secs => 60 / a.starts_per_minute)
          from automation_job as j
         where j.id = p_job and j.attempt = p_attempt and a.id = j.account_id and a.starts_per_minute is not null
           and not exists (select from automation_run as r where r.job_id = j.id and r.generation = j.generation)
        returning a.next_start_at - make_interval(secs => 60 / a.starts_per_minute) as at)
    select coalesce((select greatest(extract(epoch from at - clock_timestamp()), 0) from reserved), 0)::float8
$$;
