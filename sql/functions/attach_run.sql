-- An attempt follows this run from now on. When it is the run that an attempt before it followed, the steps stored of it are
-- taken over, and the event after which to go on is answered; a run that is new begins at 0. Null: fenced.
create or replace function attach_run(p_job uuid, p_attempt int, p_generation int, p_run_id text, p_last_seq int)
returns int language plpgsql as $$
declare
    known automation_run;
begin
    perform from automation_attempt where job_id = p_job and attempt = p_attempt and ended_at is null;
    if not found then
        return null;
    end if;
    select * into known from automation_run where job_id = p_job and generation = p_generation;
    -- A service that has lost the end of its journal tells another story from somewhere on: heard again from the start.
    if known.run_id is distinct from p_run_id or known.last_seq > p_last_seq then
        known := null;
    end if;
    insert into automation_step (job_id, attempt, key, index, total, label, state, outputs, started_at, ended_at, resumed,
                                 input_hash, recipe_version)
    select job_id, p_attempt, key, index, total, label, case state when 'confirmed' then state else 'running' end, outputs,
           started_at, case state when 'confirmed' then ended_at end, resumed, input_hash, recipe_version
      from automation_step where job_id = p_job and attempt = known.attempt and attempt <> p_attempt
    on conflict do nothing;
    insert into automation_run (job_id, generation, run_id, attempt) values (p_job, p_generation, p_run_id, p_attempt)
    on conflict (job_id, generation) do update
       set run_id = p_run_id, attempt = p_attempt, last_seq = coalesce(known.last_seq, 0);
    return coalesce(known.last_seq, 0);
end $$;
