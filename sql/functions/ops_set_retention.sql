-- A person sets how long something is kept; null: for ever. Answers the number of policies that it was another for.
-- Raises AB404 and AB422.
create or replace function ops.set_retention(p_what text, p_keep interval, p_reason text, p_outcome text default null) returns int
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    -- As the table's own checks.
    shortest interval := case p_what when 'file' then '30 min' when 'audit' then '1 year' else '0' end;
    changed int;
begin
    if p_keep not between shortest and interval '1000 years' then
        raise exception using errcode = 'AB422', message = format('%s cannot be kept for %s', p_what, p_keep),
            hint = 'the audit: at least 1 year; files: at least 30 min, as an upload may take so long from its bytes to their row;'
                   ' nothing: more than 1000 years; null keeps for ever';
    end if;
    perform set_config('asbuilt.reason', why, true);
    update retention set keep = coalesce(p_keep, keep), enabled = p_keep is not null
     where what = p_what and outcome = coalesce(p_outcome, outcome)
       and (keep, enabled) is distinct from (coalesce(p_keep, keep), p_keep is not null);
    get diagnostics changed = row_count;
    perform set_config('asbuilt.reason', '', true);
    if not exists (select from retention where what = p_what and outcome = coalesce(p_outcome, outcome)) then
        raise exception using errcode = 'AB404', message = format('nothing is kept as %s', concat_ws(', ', p_what, p_outcome)),
            hint = 'select what, outcome from ops.retention';
    end if;
    return changed;
end $$;
comment on function ops.set_retention(text, interval, text, text) is
    'Keep something for so long (null: for ever), of one outcome or of each: ops.set_retention(''queue row'', ''3 days'', ''why'', ''failed''). Say why; it is kept. 0: it was so already.';
