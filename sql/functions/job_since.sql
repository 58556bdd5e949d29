-- Since when a job is in line, or in the state it is in.
create or replace function job_since(j automation_job) returns timestamptz language sql immutable as $$
    select case j.state when 'queued' then coalesce(j.queued_at, j.changed_at) when 'awaiting_media' then j.created_at
                        else coalesce(j.finished_at, j.changed_at) end
$$;
