-- Which automation service keys a portal, and what that service has to know about it.

alter table portal
    add column engine text not null default 'asbuilt' constraint portal_engine check (engine in ('asbuilt', 'skyvern', 'browser-use')),
    add column engine_config jsonb not null default '{}' constraint portal_engine_config check (
        jsonb_typeof(engine_config) = 'object' and case engine
            when 'skyvern' then engine_config ?& array['agent_id', 'number']
            when 'browser-use' then engine_config ?& array['instructions', 'hosts', 'number', 'workspace_id']
            else true end);
comment on column portal.engine is 'Who keys it: our automation service, or a third party''s API.';
comment on column portal.engine_config is 'What that engine has to know, see docs/engines.md. Holds no secrets.';
