-- The accounts of an act, in the order in which they are locked: all of a portal, or one. Raises AB404.
create or replace function known_accounts(p_portal text, p_account text) returns uuid[] language plpgsql stable as $$
declare
    accounts uuid[] := array(select id from portal_account where portal_key = p_portal and label = coalesce(p_account, label) order by id);
begin
    if accounts = '{}' then
        raise exception using errcode = 'AB404', message = format('there is no portal account %s', concat_ws('/', p_portal, p_account)),
            hint = 'select portal, account from ops.portals';
    end if;
    return accounts;
end $$;
