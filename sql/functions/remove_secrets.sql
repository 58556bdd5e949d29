-- Remove so many sessions, sign-in links, tokens or keys whose time was over before p_border.
create or replace function remove_secrets(p_what text, p_border timestamptz, p_most int) returns int language plpgsql as $$
declare
    done int;
begin
    case p_what
        when 'session' then
            delete from user_session where secret_hash in (
                select secret_hash from user_session where expires_at < p_border order by expires_at limit p_most for update skip locked);
        when 'sign-in link' then
            delete from sign_in_link where secret_hash in (
                select secret_hash from sign_in_link where expires_at < p_border order by expires_at limit p_most for update skip locked);
        when 'token' then
            delete from access_token where id in (
                select id from access_token
                 where (expires_at is not null or revoked_at is not null) and least(expires_at, revoked_at) < p_border
                 order by least(expires_at, revoked_at) limit p_most for update skip locked);
        when 'idempotency key' then
            delete from idempotency_key where (device_id, key) in (
                select device_id, key from idempotency_key where at < p_border order by at limit p_most for update skip locked);
    end case;
    get diagnostics done = row_count;
    return done;
end $$;
