-- An approval by a person at psql; the API comes the same way. Raises AB404 (it waits for none) and AB422 (neither yes nor no).
create or replace function ops.approve(p_job uuid, p_approved boolean, p_reason text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    why text := said_why(p_reason);
    asked uuid := (select id from automation_input where job_id = p_job and kind = 'approval' and outcome is null
                                                             and run_input_id is null);
begin
    -- Without it, whoever lost their answer on the way would refuse, and the job has failed.
    if p_approved is null then
        raise exception using errcode = 'AB422', message = 'it is approved, or it is not', hint = 'true approves, false refuses';
    elsif asked is null then
        raise exception using errcode = 'AB404', message = format('job %s does not wait for an approval', p_job),
            hint = 'select job_id from ops.questions where kind = ''approval''';
    end if;
    return answer_input(p_job, asked, null, case when p_approved then 'approved' else 'refused' end, why);
end $$;
comment on function ops.approve(uuid, boolean, text) is
    'Approve, or refuse, the submission a job waits with. Say why; it is kept.';
