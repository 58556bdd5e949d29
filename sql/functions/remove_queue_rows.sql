-- Remove so many queue rows that are due, with their events; a row that somebody holds is left for the next round.
create or replace function remove_queue_rows(p_outcome text, p_border timestamptz, p_most int) returns int language plpgsql as $$
declare
    due bigint[];
    done int;
begin
    due := array(select due_queue_rows(p_outcome, p_border, p_most));
    due := array(select q.id from procrastinate_jobs as q
                  where q.id = any(due) and q.status not in ('todo', 'doing') order by q.id for update skip locked);
    delete from procrastinate_jobs where id = any(due);
    get diagnostics done = row_count;
    return done;
end $$;
