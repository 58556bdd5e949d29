-- Remove the logs of so many attempts that are due; what became of them stays. Answers the number of attempts.
create or replace function remove_logs(p_outcome text, p_border timestamptz, p_most int) returns int language plpgsql as $$
declare
    done int;
begin
    with free as (
        select a.job_id, a.attempt from automation_attempt as a
          join due_attempts('log', p_outcome, p_border, p_most) as d using (job_id, attempt)
         order by a.job_id, a.attempt for update of a skip locked)
    update automation_attempt as a set log_kept = false, log = '', traceback = null from free
     where a.job_id = free.job_id and a.attempt = free.attempt;
    get diagnostics done = row_count;
    return done;
end $$;
