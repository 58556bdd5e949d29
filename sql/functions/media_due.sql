-- Until when photos announced now should have come, by their form; null when it has the rule off. A century is as good as never,
-- and a number that no timestamp bears must not refuse an upload.
create or replace function media_due(p_form text, p_version int) returns timestamptz language sql stable as $$
    select now() + make_interval(secs => 3600 * least(coalesce((f.rules ->> 'photo_overdue_h')::float8, 24), 876000))
      from form_def as f
     where f.form_key = p_form and f.version = p_version
       and f.rules #>> '{severity,photo-not-received}' is distinct from 'off'
$$;
