-- Of what an act or an event keeps, what says nothing of people: a list of what stays, so that whatever is added later is not shown.
create or replace function plain_facts(p_facts jsonb) returns jsonb language sql immutable set search_path = pg_catalog, public, pg_temp as $$
    select jsonb_object_agg(key, value) from jsonb_each(p_facts)
     where key in ('id', 'record_id', 'job_id', 'project', 'portal', 'state', 'wait_reason', 'ready_at', 'attempt', 'failures', 'max_attempts',
                   'external_ref', 'confirmation', 'created_at', 'queued_at', 'started_at', 'finished_at', 'changed_at', 'at', 'seq', 'times',
                   'revision', 'version', 'severity', 'status', 'submitted', 'on', 'what', 'outcome', 'keep', 'enabled', 'max_runs',
                   'starts_per_minute', 'paused_at', 'paused_as', 'breaker_until', 'percent', 'step', 'index', 'total', 'queue_row', 'rule')
$$;
