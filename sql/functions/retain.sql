-- One batch of one retention policy, in the caller's transaction: how many rows it removed, how long that took, whether there
-- are more, and the rows of the next batch, which the policy keeps for the next round. `p_batch` is that of the caller, who was cut
-- short with more; without it the policy's. Nothing while another round of the same policy is at it, or when it is not enabled.
--
-- With the rights of its owner: a worker may remove what is due, and nothing else.
create or replace function retain(p_what text, p_outcome text, p_begins boolean, p_batch int default null,
                                  out removed int, out took_ms float8, out more boolean, out next_batch int)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '50ms' as $$
declare
    began constant timestamptz := clock_timestamp();
    policy retention;
begin
    removed := 0;
    took_ms := 0;
    more := false;
    next_batch := p_batch;
    select * into policy from retention where what = p_what and outcome = p_outcome and enabled for update skip locked;
    if not found then
        return;
    end if;
    policy.batch := coalesce(p_batch, policy.batch);
    removed := case policy.what
        when 'queue row' then remove_queue_rows(policy.outcome, began - policy.keep, policy.batch)
        when 'picture' then remove_pictures(policy.outcome, began - policy.keep, policy.batch)
        when 'log' then remove_logs(policy.outcome, began - policy.keep, policy.batch)
        when 'audit' then remove_audit(began - policy.keep, policy.batch)
        else remove_secrets(policy.what, began - policy.keep, policy.batch) end;
    took_ms := 1000 * extract(epoch from clock_timestamp() - began);
    more := removed >= policy.batch;
    next_batch := case when took_ms > 50 then greatest(policy.batch / 2, 1)
                       when more and took_ms < 25 then least(policy.batch * 2, 250)
                       else policy.batch end;
    update retention as r
       set batch = next_batch,
           last_at = case when p_begins then began else r.last_at end,
           last_removed = case when p_begins then 0 else r.last_removed end + retain.removed,
           last_ms = case when p_begins then 0 else r.last_ms end + took_ms,
           longest_ms = greatest(case when p_begins then 0 else r.longest_ms end, took_ms),
           removed = r.removed + retain.removed
     where r.what = p_what and r.outcome = p_outcome;
end $$;
