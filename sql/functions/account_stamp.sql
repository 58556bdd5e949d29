-- A pause says who, why and as what, also one by a plain UPDATE; a resume clears it, and begins with a clean sheet.
create or replace function account_stamp() returns trigger language plpgsql as $$
begin
    if new.paused_at is null then
        new.paused_by := null;
        new.paused_as := null;
        new.paused_reason := null;
        new.counts_from := clock_timestamp();
        new.breaker_until := null;
        new.breaker_openings := 0;
        new.breaker_reason := null;
    else
        new.paused_by := coalesce(new.paused_by, actor());
        new.paused_as := coalesce(new.paused_as, 'paused');
        new.paused_reason := coalesce(new.paused_reason, '');
    end if;
    return new;
end $$;

create or replace trigger account_stamp before update on portal_account for each row
    when (new.paused_at is distinct from old.paused_at) execute function account_stamp();
