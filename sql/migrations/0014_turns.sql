-- What one process of many has to do now and then: whoever asks first after `next_at` does it. Nobody holds anything, so a
-- process that dies in its turn costs one round.

create table turn (
    name text primary key,
    next_at timestamptz not null
);
comment on table turn is 'Duties of which one process takes a round at a time; the next round is due at next_at.';
