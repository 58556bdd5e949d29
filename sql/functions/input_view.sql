-- A question as everybody outside sees it. What was answered is in no view.
create or replace function input_view(i automation_input) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'id', i.id, 'kind', i.kind, 'prompt', i.prompt, 'fields', i.fields, 'detail', i.detail,
        'screenshot', case when i.artifact_id is not null
                           then concat('/api/jobs/', i.job_id, '/artifacts/', i.artifact_id) end,
        'attempt', i.attempt, 'asked_at', i.asked_at, 'expires_at', i.expires_at, 'answered_at', i.answered_at,
        'answered_by', i.answered_by, 'outcome', i.outcome)
$$;
