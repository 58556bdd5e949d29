-- The worst open finding of each record whose findings changed, in its line. In the order of their ids, so that two that
-- change the findings of many records wait for each other, and never in a circle.
create or replace function record_line_defects() returns trigger language plpgsql as $$
declare
    record uuid;
begin
    for record in select distinct c.record_id from changed as c order by 1 loop
        update record_line set severity = (select f.severity from record_line_facts(record) as f) where record_id = record;
    end loop;
    return null;
end $$;

create or replace trigger record_line_defects_new after insert on defect
    referencing new table as changed for each statement execute function record_line_defects();
create or replace trigger record_line_defects_changed after update on defect
    referencing new table as changed for each statement execute function record_line_defects();
create or replace trigger record_line_defects_gone after delete on defect
    referencing old table as changed for each statement execute function record_line_defects();
