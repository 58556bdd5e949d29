-- The office's decision on a record, with its note; and a version that each decision and each revision moves on, so that of two
-- reviewers who look at the same state only one decides.
alter table asbuilt_record
    add column version int not null default 1 check (version > 0),
    add column reviewed_at timestamptz,
    add column reviewed_by text,
    add column review_note text not null default '',
    add constraint record_review_by_somebody check ((reviewed_at is null) = (reviewed_by is null));
comment on column asbuilt_record.version is 'What a reviewer has seen: moved on by every decision and every revision.';
comment on column asbuilt_record.review_note is 'What the last decision said; a record that was sent back says here why.';

alter table project add column approval_required boolean not null default false;
comment on column project.approval_required is
    'A record waits for the office''s approval before its automation starts. `approval` is another switch: of each submission.';
