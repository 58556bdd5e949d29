-- A new queue row for the checks of a record.
create or replace function queue_checks(p_record uuid) returns bigint language sql volatile as $$
    select (procrastinate_defer_jobs_v1(array[row(
        'checks', 'check_photos', 20, null, null, jsonb_build_object('record_id', p_record), null)::procrastinate_job_to_defer_v1]))[1]
$$;
