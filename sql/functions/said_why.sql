-- The reason of an act, without blanks around it. Raises AB422 when there is none: whoever looks at the act later has nobody to ask.
create or replace function said_why(p_reason text) returns text language plpgsql immutable as $$
declare
    why text := btrim(coalesce(p_reason, ''), E' \t\r\n');
begin
    if why = '' then
        raise exception using errcode = 'AB422', message = 'an act says why',
            hint = 'give a reason in a few words, as in ops.retry(…, ''the portal is back''); the audit keeps it';
    end if;
    return why;
end $$;
comment on function said_why(text) is 'The reason of an act. AB422 when there is none.';
