-- The lines that a filter lets through, of projects the caller may see: what lists, counts, exports and bulk acts all mean by
-- "what matches". One plain statement, so that Postgres puts it into the query that asks, and uses the indexes. Every part of the
-- filter is turned by immutable functions only: these are done once, while planning, and not once a row. The lines have no policy, under
-- which the index of their texts could not be used. So it is asked here, once, whether all of these projects are in sight: if not, there
-- is nothing.
--
-- p_filter: project; state, review, severity, portal (one of several, between commas); received_from, received_until, captured_from,
-- captured_until (seconds of the epoch, until excluded); like1 to like4 (patterns that must all fit). What is missing lets all through.
create or replace function record_lines(p_projects uuid[], p_filter jsonb) returns setof record_line language sql stable as $$
    select l.*
      from record_line as l
     where l.project_id = any(p_projects)
       and ((select nullif(current_setting('asbuilt.projects', true), '')::uuid[]) is null
            or p_projects <@ (select nullif(current_setting('asbuilt.projects', true), '')::uuid[]))
       and (p_filter ->> 'project' is null or l.project_id = (p_filter ->> 'project')::uuid)
       and (p_filter ->> 'state' is null or l.job_state = any(string_to_array(p_filter ->> 'state', ',')))
       and (p_filter ->> 'review' is null or l.review_state = any(string_to_array(p_filter ->> 'review', ',')))
       and (p_filter ->> 'severity' is null or l.severity = any(string_to_array(p_filter ->> 'severity', ',')))
       and (p_filter ->> 'portal' is null or l.portal_key = any(string_to_array(p_filter ->> 'portal', ',')))
       and (p_filter ->> 'received_from' is null or l.received_at >= to_timestamp((p_filter ->> 'received_from')::float8))
       and (p_filter ->> 'received_until' is null or l.received_at < to_timestamp((p_filter ->> 'received_until')::float8))
       and (p_filter ->> 'captured_from' is null or l.captured_at >= to_timestamp((p_filter ->> 'captured_from')::float8))
       and (p_filter ->> 'captured_until' is null or l.captured_at < to_timestamp((p_filter ->> 'captured_until')::float8))
       and (p_filter ->> 'like1' is null or l.search like lower(p_filter ->> 'like1'))
       and (p_filter ->> 'like2' is null or l.search like lower(p_filter ->> 'like2'))
       and (p_filter ->> 'like3' is null or l.search like lower(p_filter ->> 'like3'))
       and (p_filter ->> 'like4' is null or l.search like lower(p_filter ->> 'like4'))
$$;
