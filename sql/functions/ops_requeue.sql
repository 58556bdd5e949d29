-- Retry a group of failed jobs by what they have in common. At first a rehearsal: it says which jobs it would retry, and changes
-- nothing until it is told p_dry_run => false. The oldest first, at most p_limit. The outcomes are those of ops.bulk, and `would`.
-- Raises AB422 (no reason, nothing to choose the jobs by, or no such number of them).
create or replace function ops.requeue(p_reason text, p_portal text default null, p_project text default null, p_code text default null,
                                       p_step text default null, p_fingerprint text default null, p_failed_since timestamptz default null,
                                       p_limit int default 500, p_dry_run boolean default true)
returns table (job_id uuid, project text, external_ref text, code text, step text, outcome text, message text)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    found uuid[];
begin
    if coalesce(p_portal, p_project, p_code, p_step, p_fingerprint) is null and p_failed_since is null then
        raise exception using errcode = 'AB422', message = 'the jobs are chosen by something',
            hint = 'a portal, project, code, step or fingerprint as in ops.failures, or p_failed_since';
    elsif p_limit between 1 and 10000 is not true then
        raise exception using errcode = 'AB422', message = format('%s jobs cannot be retried at once', coalesce(p_limit::text, 'all')),
            hint = 'p_limit is 1 to 10000; what is left comes with the next call';
    end if;
    found := array(
        select j.id from automation_job as j
          join project as p on p.id = j.project_id
          join portal_account as a on a.id = j.account_id
         where j.state = 'failed' and in_sight(j.project_id) and p.code = coalesce(p_project, p.code) and a.portal_key = coalesce(p_portal, a.portal_key)
           and j.error_code = coalesce(p_code, j.error_code) and (p_step is null or j.error_step = p_step)
           and (p_fingerprint is null or j.failure = p_fingerprint) and (p_failed_since is null or j.finished_at >= p_failed_since)
           -- A record that has a later job has gone on.
           and not exists (select from automation_job as later where later.record_id = j.record_id and later.created_at > j.created_at)
         order by j.finished_at, j.id limit p_limit);
    return query
        select j.id, p.code, j.external_ref, j.error_code, j.error_step, coalesce(b.outcome, 'would'), b.message
          from (select x.id, x.project_id, x.external_ref, x.error_code, x.error_step from automation_job as x
                 where x.id = any(found) order by x.finished_at, x.id) as j
          join project as p on p.id = j.project_id
          left join ops.bulk('retry', case when p_dry_run is false then found else '{}' end, why) as b on b.job_id = j.id;
end $$;
comment on function ops.requeue(text, text, text, text, text, text, timestamptz, int, boolean) is
    'Retry failed jobs by portal, project, code, step, fingerprint or time: first a rehearsal, then with p_dry_run => false. Say why; it is kept.';
