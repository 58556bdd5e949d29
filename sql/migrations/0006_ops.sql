-- The operators' surface: views and functions a DBA may rely on. Everything else is private.

create schema ops;
comment on schema ops is 'For operators: views to look at, functions to act with. Each act takes a reason and is audited.';
