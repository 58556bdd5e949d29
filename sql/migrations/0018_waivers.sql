-- When a defect was closed, by a waiver or by a revision; `at` stays the time it was found.
alter table defect add column closed_at timestamptz;
update defect set closed_at = at where status <> 'open';
alter table defect
    add constraint defect_waiver_says_why check (status <> 'waived' or btrim(reason) <> ''),
    add constraint defect_closed check ((status = 'open') = (closed_at is null));
comment on column defect.by is 'Who waived it, or whose revision mended it.';
