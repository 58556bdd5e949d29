-- A job as everybody outside sees it: the API's answer, the event's payload and the timeline's entry are this one object.
-- With its owner's rights, as record_row.
create or replace function job_view(j automation_job) returns jsonb
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select jsonb_build_object(
        'id', j.id, 'record_id', j.record_id, 'project', project.code, 'state', j.state, 'wait_reason', j.wait_reason,
        'ready_at', j.ready_at, 'attempt', j.attempt, 'failures', j.failures, 'max_attempts', j.max_attempts,
        'external_ref', j.external_ref, 'portal', portal_account.portal_key,
        'portal_url', j.portal_url, 'confirmation', j.confirmation,
        'error', case when j.error_code is not null then jsonb_build_object(
            'code', j.error_code, 'class', j.error_class, 'message', left(j.error_message, 500), 'step', j.error_step) end,
        'created_at', j.created_at, 'queued_at', j.queued_at, 'started_at', j.started_at, 'finished_at', j.finished_at,
        'changed_at', j.changed_at, 'seq', j.seq, 'times', j.times,
        'former', case when j.times = 1 then '[]' else (
            select coalesce(jsonb_agg(jsonb_build_object('external_ref', s.external_ref, 'confirmation', s.confirmation,
                'submitted_at', s.intent_at) order by s.intent_at), '[]')
              from portal_submission as s
             where s.job_id = j.id and s.state = 'confirmed' and s.external_ref <> j.external_ref) end,
        'question', case when j.state = 'needs_input' then (
            select jsonb_build_object('id', i.id, 'kind', i.kind, 'prompt', left(i.prompt, 300), 'expires_at', i.expires_at)
              from automation_input as i where i.job_id = j.id and i.outcome is null order by i.asked_at desc limit 1) end)
    from project, portal_account
    where project.id = j.project_id and portal_account.id = j.account_id
$$;
