-- The slot belongs to the run: it is freed when the run is known to be over, whoever says so, and given on at once.
-- A sweep only frees, and promotes at its end, account by account in one order.
create or replace function job_slot() returns trigger language plpgsql as $$
declare
    account uuid;
begin
    -- The account's row before its gate, as everywhere.
    if new.state = 'completed' and old.state = 'processing' then
        perform portal_answered(new.account_id);
    end if;
    account := free_slot(new.id);
    if account is not null and coalesce(current_setting('asbuilt.sweep', true), '') <> 'on' then
        perform promote(account);
    end if;
    return null;
end $$;

create or replace trigger job_slot after update of state, generation on automation_job for each row
    -- What is run again let go of its slot when it was completed; the one it has is for what comes.
    when (new.generation > old.generation and old.state <> 'completed'
          or (new.state in ('completed', 'failed', 'cancelled') and old.state not in ('completed', 'failed', 'cancelled'))
          or (new.state = 'needs_input' and new.wait_reason = 'outcome_unknown' and old.state <> 'needs_input'))
    execute function job_slot();
