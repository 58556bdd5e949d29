-- What an attempt keyed into the portal, and what the portal's own pages showed of it: for people to compare.
alter table automation_attempt add column exchange jsonb not null default '{}' check (jsonb_typeof(exchange) = 'object');
comment on column automation_attempt.exchange is
    '{"keyed": {label: value}, "read_back": [{"at", "field", "sent", "shown"}]}; a part that the engine did not tell is missing.';
