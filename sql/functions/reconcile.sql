-- Mend what lost workers, lost connections and edits by hand leave behind. Every worker's loop calls it; one sweeps at a
-- time, in one short transaction, and a row that somebody holds is left for the next sweep.
create or replace function reconcile(p_grace_s float8) returns table (kind text, job_id uuid)
language plpgsql set statement_timeout = '10s' as $$
begin
    if not pg_try_advisory_xact_lock(727274002) then
        return;
    end if;
    perform set_config('asbuilt.sweep', 'on', true);
    return query select 'lost', lost from reconcile_lost() as lost;
    return query select 'unclaimed', unclaimed from reconcile_unclaimed(p_grace_s) as unclaimed;
    return query select 'unfinished', unfinished from reconcile_unfinished(p_grace_s) as unfinished;
    return query select 'rowless', rowless from reconcile_rowless() as rowless;
    perform reconcile_strays(p_grace_s);
    return query select 'unchecked', unchecked from reconcile_checks(p_grace_s) as unchecked;
    perform reconcile_overdue();
    return query select * from reconcile_slots();
    perform set_config('asbuilt.sweep', '', true);
end $$;
