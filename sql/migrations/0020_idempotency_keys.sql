-- A client that names its request by a key must not get another content stored under it: what a key stood for is kept.

set local lock_timeout = '5s';

create table idempotency_key (
    device_id uuid not null references device,
    key text not null check (char_length(key) between 1 and 255),
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    at timestamptz not null default now(),
    primary key (device_id, key)
);
create index idempotency_key_at on idempotency_key (device_id, at);
comment on table idempotency_key is 'What the Idempotency-Key of a device''s upload stood for, for seven days. The record''s own id is what makes uploads safe to repeat.';
