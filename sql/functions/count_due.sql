-- How many rows of a kind were over before p_border, counted to p_most. With the rights of its
-- owner: whoever asks the view ops.retention need not read what is counted.
create or replace function count_due(p_what text, p_outcome text, p_border timestamptz, p_most int) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return case p_what
        when 'queue row' then (select count(*) from due_queue_rows(p_outcome, p_border, p_most)) end;
end $$;
