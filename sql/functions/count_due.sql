-- How many rows of a kind were over before p_border, counted to p_most; null for files, of which only the disk knows. With the
-- rights of its owner: whoever asks the view ops.retention need not read what is counted.
create or replace function count_due(p_what text, p_outcome text, p_border timestamptz, p_most int) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return case p_what
        when 'queue row' then (select count(*) from due_queue_rows(p_outcome, p_border, p_most))
        when 'picture' then (select count(*) from due_attempts('picture', p_outcome, p_border, p_most))
        when 'log' then (select count(*) from due_attempts('log', p_outcome, p_border, p_most))
        when 'upload' then (select count(*) from (select from upload_session where expires_at < p_border limit p_most) as due)
        when 'session' then (select count(*) from (select from user_session where expires_at < p_border limit p_most) as due)
        when 'sign-in link' then (select count(*) from (select from sign_in_link where expires_at < p_border limit p_most) as due)
        when 'token' then (select count(*) from (
            select from access_token where (expires_at is not null or revoked_at is not null)
               and least(expires_at, revoked_at) < p_border limit p_most) as due)
        when 'idempotency key' then (select count(*) from (select from idempotency_key where at < p_border limit p_most) as due)
        when 'audit' then (
            select count(*) from (select at from audit_event where record_id is null and job_id is null order by id limit p_most) as first
             where at < p_border)
    end;
end $$;
