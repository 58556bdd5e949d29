-- The same act on many jobs, each by its own function with its own audit row; what cannot be done is told, and stops no other.
-- outcome: done · busy (somebody is at the job this moment; ask again) · unknown (there is no such job) · refused (not from its
-- state; message says why). `retry`, `hold`, `release` and `cancel` are acts; for others AB422.
--
-- All jobs are locked before the first gate, jobs in the order of their ids and gates in that of their accounts: nobody waits for
-- this in a circle. A job that is locked is passed over, since the one submission in flight may hold it for long.
create or replace function ops.bulk(p_act text, p_jobs uuid[], p_reason text)
returns table (job_id uuid, outcome text, message text, view jsonb)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    jobs uuid[] := array(select distinct j from unnest(p_jobs) as j where j is not null order by j);
    locked uuid[] := '{}';
    accounts uuid[];
    account uuid;
begin
    if p_act is null or p_act not in ('retry', 'hold', 'release', 'cancel') then
        raise exception using errcode = 'AB422', message = format('%L is no act on jobs', p_act),
            hint = 'retry, hold, release or cancel';
    end if;
    foreach job_id in array jobs loop
        if (try_lock_job(job_id)).id is not null then
            locked := locked || job_id;
        end if;
    end loop;
    accounts := array(select distinct j.account_id from automation_job as j where j.id = any(locked) order by 1);
    foreach account in array accounts loop
        -- What may free a slot gives it on, under the exclusive gate; to take the shared one first would be a deadlock of two.
        if p_act in ('hold', 'cancel') then
            perform pg_advisory_xact_lock(727274003, hashtext(account::text));
        else
            perform pg_advisory_xact_lock_shared(727274003, hashtext(account::text));
        end if;
    end loop;

    -- As in a sweep: slots are given on at the end, not to the very jobs that end next.
    perform set_config('asbuilt.sweep', 'on', true);
    foreach job_id in array jobs loop
        message := null;
        view := null;
        if not job_id = any(locked) then
            outcome := case when exists (select from automation_job as j where j.id = job_id and in_sight(j.project_id)) then 'busy' else 'unknown' end;
        else
            begin
                view := case p_act when 'retry' then ops.retry(job_id, why) when 'hold' then ops.hold(job_id, why)
                                   when 'release' then ops.release(job_id, why) else ops.cancel(job_id, why) end;
                outcome := 'done';
            exception when sqlstate 'AB409' then
                outcome := 'refused';
                message := sqlerrm;
                view := (select job_view(j) from automation_job as j where j.id = job_id);
            end;
        end if;
        return next;
    end loop;
    perform set_config('asbuilt.sweep', '', true);
    if p_act = 'cancel' then
        foreach account in array accounts loop
            perform promote(account);
        end loop;
    end if;
end $$;
comment on function ops.bulk(text, uuid[], text) is
    'Retry, hold, release or cancel many jobs: ops.bulk(''retry'', array(select id from ops.jobs where …), ''why''). Says of each what came of it.';
