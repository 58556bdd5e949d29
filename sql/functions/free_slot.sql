-- The run of this job is over: its slot is free. Answers the account, which is to be promoted then; null: it had none.
create or replace function free_slot(p_job uuid) returns uuid language sql as $$
    update portal_slot set job_id = null, taken_at = null, run_at = null where job_id = p_job returning account_id
$$;
