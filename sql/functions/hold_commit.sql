-- Transaction B of the submission: keep the job's row locked while the one request is in flight, so that nothing can take the
-- attempt for lost and overtake it. The caller holds the transaction open; the server ends it after p_hold_s seconds at most.
-- False: fenced; nothing may be sent. Whoever changed the attempt held the job's row, so after it the attempt is read anew.
create or replace function hold_commit(p_job uuid, p_attempt int, p_hold_s float8) returns boolean language plpgsql as $$
begin
    perform set_config('idle_in_transaction_session_timeout', (p_hold_s * 1000)::int::text, true);
    perform from automation_job where id = p_job and attempt = p_attempt and state = 'processing' for no key update;
    return found and exists (
        select from automation_attempt where job_id = p_job and attempt = p_attempt and ended_at is null);
end $$;
