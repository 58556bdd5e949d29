-- Remove the pictures of so many attempts that are due; their files follow as orphans. Answers the number of attempts.
create or replace function remove_pictures(p_outcome text, p_border timestamptz, p_most int) returns int language plpgsql as $$
declare
    due uuid[];
    done int;
begin
    with free as (
        select a.job_id, a.attempt from automation_attempt as a
          join due_attempts('picture', p_outcome, p_border, p_most) as d using (job_id, attempt)
         order by a.job_id, a.attempt for update of a skip locked),
    marked as (
        update automation_attempt as a set pictures_kept = false from free
         where a.job_id = free.job_id and a.attempt = free.attempt)
    select array(select t.id from artifact as t join free using (job_id, attempt)), (select count(*) from free) into due, done;
    -- A question that is closed loses its picture; one that is open keeps its job from being over.
    update automation_input set artifact_id = null where artifact_id = any(due);
    delete from artifact where id = any(due);
    return done;
end $$;
