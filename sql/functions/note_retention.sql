-- A round of a policy whose rows or files a web process removes itself.
create or replace function note_retention(p_what text, p_outcome text, p_removed int, p_ms float8) returns void language sql
security definer set search_path = pg_catalog, public, pg_temp as $$
    update retention set last_at = clock_timestamp() - make_interval(secs => p_ms / 1000), last_removed = p_removed, last_ms = p_ms,
           longest_ms = 0, removed = removed + p_removed
     where what = p_what and outcome = p_outcome
$$;
