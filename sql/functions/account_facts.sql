-- An account as the audit keeps it.
create or replace function account_facts(a portal_account) returns jsonb language sql immutable as $$
    select jsonb_build_object(
        'portal', a.portal_key, 'account', a.label, 'max_runs', a.max_runs, 'starts_per_minute', a.starts_per_minute,
        'paused_at', a.paused_at, 'paused_as', a.paused_as, 'paused_reason', a.paused_reason,
        'breaker_until', a.breaker_until, 'breaker_reason', a.breaker_reason)
$$;
