-- When a project's work began: a record captured earlier was made by a clock that is wrong, or belongs elsewhere.
alter table project add column starts_on date;
comment on column project.starts_on is 'First day of the work, in the project''s own time zone; null when nobody said.';
