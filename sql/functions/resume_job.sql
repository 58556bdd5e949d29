-- Let a locked job that waits for its record go on, or wait for what the record needs still.
create or replace function resume_job(job automation_job) returns void language plpgsql as $$
declare
    needs text := record_needs(job.record_id);
begin
    if needs is null then
        update automation_job set down_since = null where id = job.id and down_since is not null;
        perform admit(job.id);
    elsif job.wait_reason is distinct from needs then
        update automation_job
           set state = case needs when 'media' then 'awaiting_media' else 'held' end, wait_reason = needs
         where id = job.id;
    end if;
end $$;
