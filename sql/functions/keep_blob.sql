-- The row of bytes that are on disk, made where it is missing and locked against removal until the caller's transaction ends.
-- Whoever refers to a blob goes through here: a row that is only looked at may be gone when the reference is checked.
-- Several in one transaction are kept in the order of their hashes, or two uploads of the same photos wait for each other.
create or replace function keep_blob(p_sha256 bytea, p_size bigint, p_type text) returns bytea
language plpgsql as $$
begin
    loop
        insert into blob (sha256, size, type) values (p_sha256, p_size, p_type) on conflict (sha256) do nothing;
        -- A new statement sees what was removed while the first one waited.
        perform from blob where sha256 = p_sha256 for key share;
        if found then
            return p_sha256;
        end if;
    end loop;
end $$;
