-- A batch of retention that takes too long is cut and tried again half as large, down to a single row.
alter table retention drop constraint retention_batch_check;
alter table retention add constraint retention_batch_check check (batch between 1 and 10000);
