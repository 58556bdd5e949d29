-- An attempt as everybody outside sees it, with its steps and the address of each step's latest picture. A step that was done
-- before the attempt began, by the run it goes on with or by an earlier one, has its picture from there.
create or replace function attempt_view(a automation_attempt) returns jsonb language sql stable as $$
    select jsonb_build_object(
        'job_id', a.job_id, 'attempt', a.attempt, 'worker', a.worker, 'started_at', a.started_at, 'ended_at', a.ended_at,
        'outcome', a.outcome,
        'error', case when a.error_code is not null then jsonb_build_object(
            'code', a.error_code, 'class', a.error_class, 'message', a.error_message, 'step', a.error_step) end,
        'steps', (
            select coalesce(jsonb_agg(jsonb_build_object('key', s.key, 'index', s.index, 'total', s.total, 'label', s.label,
                'state', s.state, 'resumed', s.state = 'confirmed' and (s.resumed or s.ended_at < a.started_at),
                'started_at', s.started_at, 'ended_at', s.ended_at, 'screenshot', (
                    select concat('/api/jobs/', t.job_id, '/artifacts/', t.id) from artifact as t
                     where t.job_id = s.job_id and t.step = s.key and t.kind = 'screenshot' and t.attempt <= s.attempt
                       and (t.attempt = s.attempt or s.resumed or s.started_at < a.started_at)
                     order by t.created_at desc limit 1)) order by s.index), '[]')
              from automation_step as s where s.job_id = a.job_id and s.attempt = a.attempt))
$$;
