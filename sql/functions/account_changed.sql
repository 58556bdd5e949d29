-- Whatever widens or narrows an account takes effect at once and is on record, whoever did it: the jobs that wait say for what,
-- slots are made, and the next in line run.
create or replace function account_changed() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        perform size_slots(new);
        return null;
    end if;
    insert into audit_event (actor, action, reason, before, after)
    select actor(), act, coalesce(nullif(current_setting('asbuilt.reason', true), ''), why, ''), account_facts(old), account_facts(new)
      from (values
        ('portal.limit', new.max_runs <> old.max_runs or new.starts_per_minute is distinct from old.starts_per_minute, ''),
        ('portal.pause', new.paused_at is not null and new.paused_at is distinct from old.paused_at, new.paused_reason),
        ('portal.resume', new.paused_at is null and old.paused_at is not null, ''),
        ('portal.breaker', new.breaker_until is distinct from old.breaker_until, new.breaker_reason)) as acts (act, done, why)
     where done;
    perform restate_waiters(new);
    perform promote(new.id);
    return null;
end $$;

create or replace trigger account_made after insert on portal_account for each row execute function account_changed();

create or replace trigger account_changed after update on portal_account for each row
    when (new.max_runs <> old.max_runs or new.starts_per_minute is distinct from old.starts_per_minute
          or new.paused_at is distinct from old.paused_at or new.breaker_until is distinct from old.breaker_until)
    execute function account_changed();
