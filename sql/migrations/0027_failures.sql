-- Failures of one cause are one thing to an operator, whatever ids, numbers and names their messages hold. What a failure is
-- grouped by is a column, so that a thousand failing jobs are counted without looking at a thousand messages.
-- The functions stand here, not among those that may be changed: values that were stored depend on them.

create function failure_shape(p_message text) returns text language sql immutable parallel safe as $$
    select left(btrim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(left(p_message, 1000),
        -- Quoted text; an apostrophe within a word opens nothing.
        '"[^"]*"|“[^”]*”|«[^»]*»|‘[^’]*’(?!\w)|(?<!\w)''[^'']*''(?!\w)', '‹text›', 'g'),
        '\m[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\M', '‹id›', 'gi'),
        -- Numbers with their signs of grouping, our own references, and codes that hold a digit.
        '\mAB-[0-9A-Z]{10}\M|\m[\w-]*\d[\w-]*([.,:]\d+)*', '‹n›', 'g'),
        '\s+', ' ', 'g')), 300)
$$;
comment on function failure_shape(text) is 'A message without what differs from record to record: quoted text, ids, numbers and codes.';

create function failure_fingerprint(p_step text, p_code text, p_message text) returns text language sql immutable parallel safe as $$
    select lpad(to_hex(hashtextextended(
        coalesce(p_step, '') || chr(31) || p_code || chr(31) || coalesce(failure_shape(p_message), ''), 0)), 16, '0')
$$;
comment on function failure_fingerprint(text, text, text) is 'What failures of one cause have in common: step, code and the shape of the message. Null without a code.';

alter table automation_job
    add column failure text generated always as (failure_fingerprint(error_step, error_code, error_message)) stored;
alter table automation_attempt
    add column failure text generated always as (failure_fingerprint(error_step, error_code, error_message)) stored;
comment on column automation_job.failure is 'Fingerprint of its error: jobs of one cause have the same.';

create index automation_job_failing on automation_job (project_id, failure) where state in ('failed', 'retrying');
