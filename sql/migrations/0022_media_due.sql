-- Until when the photos that a record announced should have come; after it the housekeeping says on the record which have not.
-- Null: all are here, or it was said. Kept on the record, so that a sweep with nothing to do reads one index page.
alter table asbuilt_record add column media_due_at timestamptz;
update asbuilt_record as r
   set media_due_at = r.received_at + make_interval(secs => 3600 * least(coalesce((f.rules ->> 'photo_overdue_h')::float8, 24), 876000))
  from form_def as f
 where f.form_key = r.form_key and f.version = r.form_version and r.media_state = 'awaiting'
   and f.rules #>> '{severity,photo-not-received}' is distinct from 'off';
create index asbuilt_record_media_due on asbuilt_record (media_due_at) where media_due_at is not null;
comment on column asbuilt_record.media_due_at is 'Until when the announced photos should be here; null when they are, or when the findings photo-not-received say so.';
