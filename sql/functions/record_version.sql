-- Whoever decides on a record or revises it, also by plain SQL: who looked at it before has not seen this.
create or replace function record_version() returns trigger language plpgsql as $$
begin
    new.version := old.version + 1;
    return new;
end $$;

create or replace trigger record_version before update of revision, review_state on asbuilt_record
    for each row execute function record_version();
