-- Where is my record? By its id, its reference at the portal, or its asset; then everything that happened to it.
--
--     psql -v record=AB-0123456789 -f record.sql
--     psql -v record=P-1041 -f record.sql
\set ON_ERROR_STOP on
\if :{?record}
select id as record, external_ref, project, asset, crew, device, received_at, review_state, media_state, photos, open_blockers,
       state, wait_reason, error_code, confirmation, job_id as job
  from ops.records
 where external_ref = :'record' or asset = :'record' or id::text = lower(:'record')
 order by received_at desc
 limit 20;
select t.at, t.kind, t.state, t.actor, t.reason, t.data -> 'error' ->> 'message' as error
  from ops.timeline as t
 where t.record_id = (select id from ops.records
                       where external_ref = :'record' or asset = :'record' or id::text = lower(:'record')
                       order by received_at desc limit 1)
 order by t.at, t.seq;
\else
\echo 'which record?  psql -v record=AB-0123456789 -f record.sql'
\endif
