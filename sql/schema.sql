-- What all migrations, functions and views make together. Never applied; compared by a test.
table access_token: id text not null
table access_token: secret_hash bytea not null
table access_token: device_id uuid not null
table access_token: scopes text[] not null
table access_token: created_at timestamp with time zone not null default now()
table access_token: expires_at timestamp with time zone
table access_token: revoked_at timestamp with time zone
table access_token: constraint access_token_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id) ON DELETE CASCADE
table access_token: constraint access_token_id_check CHECK ((id ~ '^[A-Za-z0-9]{8}$'::text))
table access_token: constraint access_token_pkey PRIMARY KEY (id)
table access_token: constraint access_token_scopes_check CHECK (((scopes <@ '{upload,read,review,operate}'::text[]) AND (cardinality(scopes) > 0)))
table access_token: constraint access_token_secret_hash_check CHECK ((octet_length(secret_hash) = 32))
CREATE INDEX access_token_device ON public.access_token USING btree (device_id)
CREATE INDEX access_token_ended ON public.access_token USING btree (LEAST(expires_at, revoked_at)) WHERE ((expires_at IS NOT NULL) OR (revoked_at IS NOT NULL))
table app_user: id uuid not null default gen_random_uuid()
table app_user: email text not null
table app_user: name text not null
table app_user: password_hash bytea
table app_user: password_salt bytea
table app_user: disabled_at timestamp with time zone
table app_user: created_at timestamp with time zone not null default now()
table app_user: constraint app_user_check CHECK (((password_hash IS NULL) = (password_salt IS NULL)))
table app_user: constraint app_user_email_check CHECK (((email = lower(email)) AND (email ~~ '%_@_%'::text)))
table app_user: constraint app_user_email_key UNIQUE (email)
table app_user: constraint app_user_pkey PRIMARY KEY (id)
table artifact: id uuid not null default gen_random_uuid()
table artifact: job_id uuid not null
table artifact: attempt integer not null
table artifact: step text not null
table artifact: kind text not null
table artifact: blob_sha256 bytea not null
table artifact: created_at timestamp with time zone not null default now()
table artifact: run_id text
table artifact: run_seq integer
table artifact: constraint artifact_blob_sha256_fkey FOREIGN KEY (blob_sha256) REFERENCES blob(sha256)
table artifact: constraint artifact_job_id_fkey FOREIGN KEY (job_id) REFERENCES automation_job(id)
table artifact: constraint artifact_kind_check CHECK ((kind = ANY (ARRAY['screenshot'::text, 'page'::text])))
table artifact: constraint artifact_pkey PRIMARY KEY (id)
CREATE INDEX artifact_blob ON public.artifact USING btree (blob_sha256)
CREATE INDEX artifact_job ON public.artifact USING btree (job_id, attempt, created_at)
CREATE UNIQUE INDEX artifact_run ON public.artifact USING btree (run_id, run_seq)
table artifact: policy everything to asbuilt_worker using true
table artifact: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (( SELECT j.id FROM automation_job j WHERE (j.id = artifact.job_id)) IS NOT NULL))
table asbuilt_record: id uuid not null
table asbuilt_record: project_id uuid not null
table asbuilt_record: device_id uuid not null
table asbuilt_record: form_key text not null
table asbuilt_record: form_version integer not null
table asbuilt_record: asset_key text not null default ''::text
table asbuilt_record: crew text not null default ''::text
table asbuilt_record: external_ref text not null
table asbuilt_record: revision integer not null default 1
table asbuilt_record: fields jsonb not null
table asbuilt_record: fingerprint bytea not null
table asbuilt_record: lat double precision
table asbuilt_record: lon double precision
table asbuilt_record: h_accuracy_m double precision
table asbuilt_record: v_accuracy_m double precision
table asbuilt_record: altitude_m double precision
table asbuilt_record: fix_type text
table asbuilt_record: position_source text
table asbuilt_record: captured_at timestamp with time zone
table asbuilt_record: client_created_at timestamp with time zone
table asbuilt_record: device_sent_at timestamp with time zone
table asbuilt_record: received_at timestamp with time zone not null default now()
table asbuilt_record: review_state text not null default 'received'::text
table asbuilt_record: media_state text not null
table asbuilt_record: deleted_at timestamp with time zone
table asbuilt_record: design_snapshot jsonb
table asbuilt_record: media_due_at timestamp with time zone
table asbuilt_record: version integer not null default 1
table asbuilt_record: reviewed_at timestamp with time zone
table asbuilt_record: reviewed_by text
table asbuilt_record: review_note text not null default ''::text
table asbuilt_record: constraint asbuilt_record_altitude_m_check CHECK (((altitude_m >= ('-100000'::numeric)::double precision) AND (altitude_m <= ('100000'::numeric)::double precision)))
table asbuilt_record: constraint asbuilt_record_check CHECK (((lat IS NULL) = (lon IS NULL)))
table asbuilt_record: constraint asbuilt_record_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id)
table asbuilt_record: constraint asbuilt_record_external_ref_check CHECK ((external_ref ~ '^AB-[0-9A-Z]{10}$'::text))
table asbuilt_record: constraint asbuilt_record_external_ref_key UNIQUE (external_ref)
table asbuilt_record: constraint asbuilt_record_fields_check CHECK ((jsonb_typeof(fields) = 'object'::text))
table asbuilt_record: constraint asbuilt_record_fingerprint_check CHECK ((octet_length(fingerprint) = 32))
table asbuilt_record: constraint asbuilt_record_form_key_form_version_fkey FOREIGN KEY (form_key, form_version) REFERENCES form_def(form_key, version)
table asbuilt_record: constraint asbuilt_record_h_accuracy_m_check CHECK (((h_accuracy_m >= (0)::double precision) AND (h_accuracy_m <= ('1000000'::numeric)::double precision)))
table asbuilt_record: constraint asbuilt_record_lat_check CHECK (((lat >= ('-90'::integer)::double precision) AND (lat <= (90)::double precision)))
table asbuilt_record: constraint asbuilt_record_lon_check CHECK (((lon >= ('-180'::integer)::double precision) AND (lon <= (180)::double precision)))
table asbuilt_record: constraint asbuilt_record_media_state_check CHECK ((media_state = ANY (ARRAY['awaiting'::text, 'complete'::text])))
table asbuilt_record: constraint asbuilt_record_pkey PRIMARY KEY (id)
table asbuilt_record: constraint asbuilt_record_project_id_fkey FOREIGN KEY (project_id) REFERENCES project(id)
table asbuilt_record: constraint asbuilt_record_review_state_check CHECK ((review_state = ANY (ARRAY['received'::text, 'has_issues'::text, 'edited'::text, 'approved'::text, 'rejected'::text])))
table asbuilt_record: constraint asbuilt_record_revision_check CHECK ((revision > 0))
table asbuilt_record: constraint asbuilt_record_v_accuracy_m_check CHECK (((v_accuracy_m >= (0)::double precision) AND (v_accuracy_m <= ('1000000'::numeric)::double precision)))
table asbuilt_record: constraint asbuilt_record_version_check CHECK ((version > 0))
table asbuilt_record: constraint record_review_by_somebody CHECK (((reviewed_at IS NULL) = (reviewed_by IS NULL)))
CREATE INDEX asbuilt_record_asset ON public.asbuilt_record USING btree (project_id, asset_key)
CREATE INDEX asbuilt_record_awaiting ON public.asbuilt_record USING btree (received_at) WHERE (media_state = 'awaiting'::text)
CREATE INDEX asbuilt_record_device ON public.asbuilt_record USING btree (device_id, received_at DESC)
CREATE INDEX asbuilt_record_list ON public.asbuilt_record USING btree (project_id, received_at DESC, id DESC) WHERE (deleted_at IS NULL)
CREATE INDEX asbuilt_record_media_due ON public.asbuilt_record USING btree (media_due_at) WHERE (media_due_at IS NOT NULL)
table asbuilt_record: policy everything to asbuilt_worker using true
table asbuilt_record: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (array_position(( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif"), project_id) IS NOT NULL))
table audit_event: id bigint not null
table audit_event: at timestamp with time zone not null default now()
table audit_event: actor text not null
table audit_event: action text not null
table audit_event: reason text not null default ''::text
table audit_event: project_id uuid
table audit_event: record_id uuid
table audit_event: job_id uuid
table audit_event: before jsonb
table audit_event: after jsonb
table audit_event: program text default NULLIF(current_setting('application_name'::text, true), ''::text)
table audit_event: constraint audit_event_pkey PRIMARY KEY (id)
CREATE INDEX audit_event_acts ON public.audit_event USING btree (project_id, id) WHERE (action <> 'record.upload'::text)
CREATE INDEX audit_event_elsewhere ON public.audit_event USING btree (id) WHERE ((record_id IS NULL) AND (job_id IS NULL))
CREATE INDEX audit_event_job ON public.audit_event USING btree (job_id, id)
CREATE INDEX audit_event_record ON public.audit_event USING btree (record_id, id)
table audit_event: policy everything to asbuilt_worker using true
table audit_event: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (project_id IS NULL) OR (array_position(( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif"), project_id) IS NOT NULL))
table automation_attempt: job_id uuid not null
table automation_attempt: attempt integer not null
table automation_attempt: queue_job_id bigint not null
table automation_attempt: worker text not null
table automation_attempt: started_at timestamp with time zone not null default now()
table automation_attempt: lease_until timestamp with time zone not null
table automation_attempt: ended_at timestamp with time zone
table automation_attempt: outcome text
table automation_attempt: error_code text
table automation_attempt: error_class text
table automation_attempt: error_message text
table automation_attempt: error_step text
table automation_attempt: traceback text
table automation_attempt: progress jsonb
table automation_attempt: progress_at timestamp with time zone
table automation_attempt: waits boolean not null default false
table automation_attempt: log text not null default ''::text
table automation_attempt: error_action text
table automation_attempt: exchange jsonb not null default '{}'::jsonb
table automation_attempt: failure text default failure_fingerprint(error_step, error_code, error_message)
table automation_attempt: project_id uuid
table automation_attempt: queued_at timestamp with time zone
table automation_attempt: pictures_kept boolean not null default true
table automation_attempt: log_kept boolean not null default true
table automation_attempt: constraint automation_attempt_attempt_check CHECK ((attempt > 0))
table automation_attempt: constraint automation_attempt_check CHECK (((ended_at IS NULL) = (outcome IS NULL)))
table automation_attempt: constraint automation_attempt_exchange_check CHECK ((jsonb_typeof(exchange) = 'object'::text))
table automation_attempt: constraint automation_attempt_job_id_fkey FOREIGN KEY (job_id) REFERENCES automation_job(id)
table automation_attempt: constraint automation_attempt_log_check CHECK ((octet_length(log) <= 65536))
table automation_attempt: constraint automation_attempt_outcome_check CHECK ((outcome = ANY (ARRAY['completed'::text, 'failed'::text, 'lost'::text, 'detached'::text, 'parked'::text, 'cancelled'::text])))
table automation_attempt: constraint automation_attempt_pkey PRIMARY KEY (job_id, attempt)
CREATE INDEX automation_attempt_ended ON public.automation_attempt USING btree (project_id, ended_at) INCLUDE (outcome, started_at, queued_at) WHERE (ended_at IS NOT NULL)
CREATE INDEX automation_attempt_failed ON public.automation_attempt USING btree (ended_at) WHERE (outcome = 'failed'::text)
CREATE INDEX automation_attempt_logs ON public.automation_attempt USING btree (outcome, ended_at) WHERE (log_kept AND (ended_at IS NOT NULL))
CREATE INDEX automation_attempt_open ON public.automation_attempt USING btree (lease_until) WHERE (ended_at IS NULL)
CREATE INDEX automation_attempt_pictures ON public.automation_attempt USING btree (outcome, ended_at) WHERE (pictures_kept AND (ended_at IS NOT NULL))
CREATE INDEX automation_attempt_queue_row ON public.automation_attempt USING btree (queue_job_id)
table automation_attempt: policy everything to asbuilt_worker using true
table automation_attempt: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (array_position(( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif"), project_id) IS NOT NULL))
table automation_input: id uuid not null default gen_random_uuid()
table automation_input: job_id uuid not null
table automation_input: attempt integer not null
table automation_input: generation integer not null
table automation_input: run_input_id text
table automation_input: kind text not null
table automation_input: prompt text not null
table automation_input: fields jsonb not null default '[]'::jsonb
table automation_input: artifact_id uuid
table automation_input: detail jsonb not null default '{}'::jsonb
table automation_input: asked_at timestamp with time zone not null default clock_timestamp()
table automation_input: expires_at timestamp with time zone not null
table automation_input: answered_at timestamp with time zone
table automation_input: answered_by text
table automation_input: answer_cipher bytea
table automation_input: outcome text
table automation_input: constraint automation_input_artifact_id_fkey FOREIGN KEY (artifact_id) REFERENCES artifact(id)
table automation_input: constraint automation_input_check CHECK (((answer_cipher IS NULL) OR (outcome = 'answered'::text)))
table automation_input: constraint automation_input_check1 CHECK (((answered_at IS NULL) = (answered_by IS NULL)))
table automation_input: constraint automation_input_check2 CHECK (((answered_at IS NOT NULL) OR (outcome IS NULL) OR (outcome = ANY (ARRAY['expired'::text, 'withdrawn'::text]))))
table automation_input: constraint automation_input_fields_check CHECK ((jsonb_typeof(fields) = 'array'::text))
table automation_input: constraint automation_input_job_id_fkey FOREIGN KEY (job_id) REFERENCES automation_job(id)
table automation_input: constraint automation_input_kind_check CHECK ((kind = ANY (ARRAY['otp'::text, 'captcha'::text, 'approval'::text, 'choice'::text, 'fix'::text])))
table automation_input: constraint automation_input_outcome_check CHECK ((outcome = ANY (ARRAY['answered'::text, 'used'::text, 'approved'::text, 'refused'::text, 'expired'::text, 'withdrawn'::text])))
table automation_input: constraint automation_input_pkey PRIMARY KEY (id)
CREATE INDEX automation_input_artifact ON public.automation_input USING btree (artifact_id) WHERE (artifact_id IS NOT NULL)
CREATE INDEX automation_input_due ON public.automation_input USING btree (expires_at) WHERE ((outcome IS NULL) OR (outcome = 'answered'::text))
CREATE INDEX automation_input_job ON public.automation_input USING btree (job_id, asked_at DESC)
CREATE UNIQUE INDEX automation_input_once ON public.automation_input USING btree (job_id, generation, run_input_id) WHERE (run_input_id IS NOT NULL)
table automation_input: policy everything to asbuilt_worker using true
table automation_input: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (( SELECT j.id FROM automation_job j WHERE (j.id = automation_input.job_id)) IS NOT NULL))
table automation_job: id uuid not null
table automation_job: record_id uuid not null
table automation_job: revision integer not null
table automation_job: project_id uuid not null
table automation_job: device_id uuid not null
table automation_job: account_id uuid not null
table automation_job: external_ref text not null
table automation_job: generation integer not null default 1
table automation_job: state text not null
table automation_job: wait_reason text
table automation_job: ready_at timestamp with time zone
table automation_job: queue_job_id bigint
table automation_job: attempt integer not null default 0
table automation_job: failures integer not null default 0
table automation_job: interruptions integer not null default 0
table automation_job: max_attempts integer not null
table automation_job: error_code text
table automation_job: error_class text
table automation_job: error_message text
table automation_job: error_step text
table automation_job: confirmation text
table automation_job: portal_url text
table automation_job: created_at timestamp with time zone not null default now()
table automation_job: queued_at timestamp with time zone
table automation_job: started_at timestamp with time zone
table automation_job: finished_at timestamp with time zone
table automation_job: cancel_requested_at timestamp with time zone
table automation_job: seq integer not null default 0
table automation_job: changed_at timestamp with time zone not null default now()
table automation_job: changed_xid xid8 not null default '0'::xid8
table automation_job: down_since timestamp with time zone
table automation_job: failure text default failure_fingerprint(error_step, error_code, error_message)
table automation_job: times integer not null default 1
table automation_job: attempts_before integer not null default 0
table automation_job: constraint automation_job_account_id_fkey FOREIGN KEY (account_id) REFERENCES portal_account(id)
table automation_job: constraint automation_job_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id)
table automation_job: constraint automation_job_generation_check CHECK ((generation > 0))
table automation_job: constraint automation_job_max_attempts_check CHECK ((max_attempts > 0))
table automation_job: constraint automation_job_pkey PRIMARY KEY (id)
table automation_job: constraint automation_job_project_id_fkey FOREIGN KEY (project_id) REFERENCES project(id)
table automation_job: constraint automation_job_queue_job_id_key UNIQUE (queue_job_id)
table automation_job: constraint automation_job_record_id_fkey FOREIGN KEY (record_id) REFERENCES asbuilt_record(id)
table automation_job: constraint job_completed_is_confirmed CHECK (((state = 'completed'::text) = (confirmation IS NOT NULL)))
table automation_job: constraint job_failed_says_why CHECK (((state <> 'failed'::text) OR (error_code IS NOT NULL)))
table automation_job: constraint job_failures_in_budget CHECK (((failures >= 0) AND (failures <= max_attempts)))
table automation_job: constraint job_processing_has_attempt CHECK (((state <> 'processing'::text) OR ((attempt > 0) AND (started_at IS NOT NULL))))
table automation_job: constraint job_retrying_says_when CHECK (((state <> 'retrying'::text) OR ((ready_at IS NOT NULL) AND (error_code IS NOT NULL))))
table automation_job: constraint job_state CHECK ((state = ANY (ARRAY['awaiting_media'::text, 'held'::text, 'queued'::text, 'processing'::text, 'retrying'::text, 'needs_input'::text, 'completed'::text, 'failed'::text, 'cancelled'::text])))
table automation_job: constraint job_terminal_has_no_queue_row CHECK (((state <> ALL (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text])) OR (queue_job_id IS NULL)))
table automation_job: constraint job_terminal_is_finished CHECK (((state = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text])) = (finished_at IS NOT NULL)))
table automation_job: constraint job_waiting_says_why CHECK (
CASE
    WHEN (state = ANY (ARRAY['awaiting_media'::text, 'held'::text, 'retrying'::text, 'needs_input'::text])) THEN (wait_reason IS NOT NULL)
    WHEN (state = 'queued'::text) THEN true
    ELSE (wait_reason IS NULL)
END)
CREATE INDEX automation_job_changed ON public.automation_job USING btree (changed_xid)
CREATE INDEX automation_job_due ON public.automation_job USING btree (ready_at) WHERE (state = 'retrying'::text)
CREATE INDEX automation_job_failing ON public.automation_job USING btree (project_id, failure) WHERE (state = ANY (ARRAY['failed'::text, 'retrying'::text]))
CREATE INDEX automation_job_finished ON public.automation_job USING btree (project_id, finished_at) WHERE (state = 'completed'::text)
CREATE INDEX automation_job_held ON public.automation_job USING btree (account_id) WHERE (state = 'held'::text)
CREATE INDEX automation_job_open ON public.automation_job USING btree (project_id, state) WHERE (state <> ALL (ARRAY['completed'::text, 'cancelled'::text]))
CREATE INDEX automation_job_project ON public.automation_job USING btree (project_id, created_at DESC, id DESC)
CREATE INDEX automation_job_record ON public.automation_job USING btree (record_id, created_at DESC)
CREATE INDEX automation_job_waiting ON public.automation_job USING btree (account_id, queued_at, id) WHERE ((state = 'queued'::text) AND (wait_reason IS NOT NULL))
CREATE UNIQUE INDEX automation_job_live ON public.automation_job USING btree (record_id) WHERE (state <> ALL (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text]))
table automation_job: policy everything to asbuilt_worker using true
table automation_job: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (array_position(( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif"), project_id) IS NOT NULL))
table automation_run: job_id uuid not null
table automation_run: generation integer not null
table automation_run: run_id text not null
table automation_run: started_at timestamp with time zone not null default now()
table automation_run: last_seq integer not null default 0
table automation_run: attempt integer
table automation_run: constraint automation_run_job_id_fkey FOREIGN KEY (job_id) REFERENCES automation_job(id)
table automation_run: constraint automation_run_pkey PRIMARY KEY (job_id, generation)
table automation_run: policy everything to asbuilt_worker using true
table automation_run: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (( SELECT j.id FROM automation_job j WHERE (j.id = automation_run.job_id)) IS NOT NULL))
table automation_step: job_id uuid not null
table automation_step: attempt integer not null
table automation_step: key text not null
table automation_step: index integer not null
table automation_step: total integer not null
table automation_step: label text not null
table automation_step: state text not null
table automation_step: outputs jsonb not null default '{}'::jsonb
table automation_step: started_at timestamp with time zone not null default now()
table automation_step: ended_at timestamp with time zone
table automation_step: resumed boolean not null default false
table automation_step: input_hash text not null default ''::text
table automation_step: recipe_version integer
table automation_step: constraint automation_step_check CHECK ((total >= index))
table automation_step: constraint automation_step_check1 CHECK (((state = 'running'::text) = (ended_at IS NULL)))
table automation_step: constraint automation_step_index_check CHECK ((index > 0))
table automation_step: constraint automation_step_job_id_attempt_fkey FOREIGN KEY (job_id, attempt) REFERENCES automation_attempt(job_id, attempt)
table automation_step: constraint automation_step_pkey PRIMARY KEY (job_id, attempt, key)
table automation_step: constraint automation_step_state_check CHECK ((state = ANY (ARRAY['running'::text, 'confirmed'::text, 'failed'::text])))
table automation_step: policy everything to asbuilt_worker using true
table automation_step: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (( SELECT j.id FROM automation_job j WHERE (j.id = automation_step.job_id)) IS NOT NULL))
table blob: sha256 bytea not null
table blob: size bigint not null
table blob: type text not null
table blob: created_at timestamp with time zone not null default now()
table blob: constraint blob_pkey PRIMARY KEY (sha256)
table blob: constraint blob_sha256_check CHECK ((octet_length(sha256) = 32))
table blob: constraint blob_size_check CHECK ((size > 0))
table comment: id uuid not null default gen_random_uuid()
table comment: record_id uuid not null
table comment: author text not null
table comment: text text not null
table comment: at timestamp with time zone not null default clock_timestamp()
table comment: constraint comment_pkey PRIMARY KEY (id)
table comment: constraint comment_record_id_fkey FOREIGN KEY (record_id) REFERENCES asbuilt_record(id)
table comment: constraint comment_text_check CHECK (((btrim(text) <> ''::text) AND (char_length(text) <= 2000)))
CREATE INDEX comment_record ON public.comment USING btree (record_id, at, id)
table comment: policy everything to asbuilt_worker using true
table comment: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (( SELECT r.id FROM asbuilt_record r WHERE (r.id = comment.record_id)) IS NOT NULL))
table defect: id uuid not null default gen_random_uuid()
table defect: record_id uuid not null
table defect: revision integer not null
table defect: rule text not null
table defect: severity text not null
table defect: field text
table defect: photo text
table defect: message text not null
table defect: evidence jsonb not null default '{}'::jsonb
table defect: status text not null default 'open'::text
table defect: by text
table defect: reason text
table defect: at timestamp with time zone not null default now()
table defect: closed_at timestamp with time zone
table defect: constraint defect_check CHECK (((status = 'open'::text) OR (by IS NOT NULL)))
table defect: constraint defect_closed CHECK (((status = 'open'::text) = (closed_at IS NULL)))
table defect: constraint defect_pkey PRIMARY KEY (id)
table defect: constraint defect_record_id_fkey FOREIGN KEY (record_id) REFERENCES asbuilt_record(id)
table defect: constraint defect_severity_check CHECK ((severity = ANY (ARRAY['blocker'::text, 'major'::text, 'minor'::text, 'info'::text])))
table defect: constraint defect_status_check CHECK ((status = ANY (ARRAY['open'::text, 'waived'::text, 'fixed'::text])))
table defect: constraint defect_waiver_says_why CHECK (((status <> 'waived'::text) OR (btrim(reason) <> ''::text)))
CREATE INDEX defect_open ON public.defect USING btree (record_id, severity) WHERE (status = 'open'::text)
CREATE UNIQUE INDEX defect_once ON public.defect USING btree (record_id, revision, rule, COALESCE(field, ''::text), COALESCE(photo, ''::text))
table defect: policy everything to asbuilt_worker using true
table defect: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (( SELECT r.id FROM asbuilt_record r WHERE (r.id = defect.record_id)) IS NOT NULL))
table design_asset: id uuid not null default gen_random_uuid()
table design_asset: project_id uuid not null
table design_asset: asset_key text not null
table design_asset: kind text not null default ''::text
table design_asset: expected jsonb not null default '{}'::jsonb
table design_asset: lat double precision
table design_asset: lon double precision
table design_asset: tolerance_m double precision not null default 50
table design_asset: constraint design_asset_asset_key_check CHECK ((asset_key <> ''::text))
table design_asset: constraint design_asset_check CHECK (((lat IS NULL) = (lon IS NULL)))
table design_asset: constraint design_asset_expected_check CHECK ((jsonb_typeof(expected) = 'object'::text))
table design_asset: constraint design_asset_lat_check CHECK (((lat >= ('-90'::integer)::double precision) AND (lat <= (90)::double precision)))
table design_asset: constraint design_asset_lon_check CHECK (((lon >= ('-180'::integer)::double precision) AND (lon <= (180)::double precision)))
table design_asset: constraint design_asset_pkey PRIMARY KEY (id)
table design_asset: constraint design_asset_project_id_asset_key_key UNIQUE (project_id, asset_key)
table design_asset: constraint design_asset_project_id_fkey FOREIGN KEY (project_id) REFERENCES project(id)
table design_asset: constraint design_asset_tolerance_m_check CHECK (((tolerance_m >= (0)::double precision) AND (tolerance_m <= ('1000000'::numeric)::double precision)))
table design_asset: policy everything to asbuilt_worker using true
table design_asset: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (array_position(( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif"), project_id) IS NOT NULL))
table device: id uuid not null default gen_random_uuid()
table device: project_id uuid not null
table device: label text not null
table device: crew text not null default ''::text
table device: disabled_at timestamp with time zone
table device: created_at timestamp with time zone not null default now()
table device: constraint device_pkey PRIMARY KEY (id)
table device: constraint device_project_id_fkey FOREIGN KEY (project_id) REFERENCES project(id)
CREATE INDEX device_project ON public.device USING btree (project_id)
table form_def: form_key text not null
table form_def: version integer not null
table form_def: title text not null
table form_def: state text not null default 'open'::text
table form_def: schema json not null
table form_def: shots jsonb not null default '[]'::jsonb
table form_def: measures jsonb not null default '[]'::jsonb
table form_def: rules jsonb not null default '{}'::jsonb
table form_def: created_at timestamp with time zone not null default now()
table form_def: constraint form_def_form_key_check CHECK ((form_key ~ '^[a-z0-9][a-z0-9-]{0,59}$'::text))
table form_def: constraint form_def_pkey PRIMARY KEY (form_key, version)
table form_def: constraint form_def_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'open'::text, 'closing'::text, 'closed'::text])))
table form_def: constraint form_def_version_check CHECK ((version > 0))
table idempotency_key: device_id uuid not null
table idempotency_key: key text not null
table idempotency_key: fingerprint bytea not null
table idempotency_key: at timestamp with time zone not null default now()
table idempotency_key: constraint idempotency_key_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id)
table idempotency_key: constraint idempotency_key_fingerprint_check CHECK ((octet_length(fingerprint) = 32))
table idempotency_key: constraint idempotency_key_key_check CHECK (((char_length(key) >= 1) AND (char_length(key) <= 255)))
table idempotency_key: constraint idempotency_key_pkey PRIMARY KEY (device_id, key)
CREATE INDEX idempotency_key_at ON public.idempotency_key USING btree (at)
table job_event: job_id uuid not null
table job_event: seq integer not null
table job_event: at timestamp with time zone not null default now()
table job_event: kind text not null
table job_event: actor text not null
table job_event: data jsonb not null
table job_event: constraint job_event_job_id_fkey FOREIGN KEY (job_id) REFERENCES automation_job(id)
table job_event: constraint job_event_kind_check CHECK ((kind = ANY (ARRAY['created'::text, 'state'::text, 'media'::text, 'changed'::text])))
table job_event: constraint job_event_pkey PRIMARY KEY (job_id, seq)
table job_event: constraint job_event_seq_check CHECK ((seq > 0))
table job_event: policy everything to asbuilt_worker using true
table job_event: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (( SELECT j.id FROM automation_job j WHERE (j.id = job_event.job_id)) IS NOT NULL))
table membership: user_id uuid not null
table membership: project_id uuid not null
table membership: role text not null
table membership: constraint membership_pkey PRIMARY KEY (user_id, project_id)
table membership: constraint membership_project_id_fkey FOREIGN KEY (project_id) REFERENCES project(id) ON DELETE CASCADE
table membership: constraint membership_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'reviewer'::text, 'operator'::text, 'admin'::text])))
table membership: constraint membership_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user(id) ON DELETE CASCADE
CREATE INDEX membership_project ON public.membership USING btree (project_id)
table photo: id uuid not null default gen_random_uuid()
table photo: record_id uuid not null
table photo: name text not null
table photo: shot_key text not null
table photo: kind text not null default 'photo'::text
table photo: declared_sha256 bytea
table photo: declared_size bigint
table photo: declared_type text
table photo: blob_sha256 bytea
table photo: rejected_reason text
table photo: received_at timestamp with time zone
table photo: width integer
table photo: height integer
table photo: taken_at timestamp with time zone
table photo: taken_at_source text
table photo: lat double precision
table photo: lon double precision
table photo: exif jsonb not null default '{}'::jsonb
table photo: checks text not null default 'deferred'::text
table photo: dhash bigint
table photo: sharpness real
table photo: luma real
table photo: rendition_sha256 bytea
table photo: compared boolean not null default false
table photo: constraint photo_blob_sha256_fkey FOREIGN KEY (blob_sha256) REFERENCES blob(sha256)
table photo: constraint photo_check CHECK (((received_at IS NULL) = ((blob_sha256 IS NULL) AND (rejected_reason IS NULL))))
table photo: constraint photo_checks_check CHECK ((checks = ANY (ARRAY['done'::text, 'deferred'::text, 'failed'::text])))
table photo: constraint photo_declared_sha256_check CHECK ((octet_length(declared_sha256) = 32))
table photo: constraint photo_kind_check CHECK ((kind = ANY (ARRAY['photo'::text, 'redline'::text, 'otdr'::text, 'signature'::text, 'other'::text])))
table photo: constraint photo_lat_check CHECK (((lat >= ('-90'::integer)::double precision) AND (lat <= (90)::double precision)))
table photo: constraint photo_lon_check CHECK (((lon >= ('-180'::integer)::double precision) AND (lon <= (180)::double precision)))
table photo: constraint photo_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 120)))
table photo: constraint photo_pkey PRIMARY KEY (id)
table photo: constraint photo_record_id_fkey FOREIGN KEY (record_id) REFERENCES asbuilt_record(id)
table photo: constraint photo_record_id_name_key UNIQUE (record_id, name)
table photo: constraint photo_rendition_sha256_fkey FOREIGN KEY (rendition_sha256) REFERENCES blob(sha256)
table photo: constraint photo_taken_at_source_check CHECK ((taken_at_source = ANY (ARRAY['offset'::text, 'gps'::text, 'project_tz'::text])))
CREATE INDEX photo_bands ON public.photo USING gin ((ARRAY[((dhash & (8191)::bigint))::integer, ((((dhash >> 13) & (8191)::bigint))::integer | 8192), ((((dhash >> 26) & (8191)::bigint))::integer | 16384), ((((dhash >> 39) & (8191)::bigint))::integer | 24576), ((((dhash >> 52) & (4095)::bigint))::integer | 32768)])) WITH (fastupdate=off) WHERE ((dhash IS NOT NULL) AND (kind = 'photo'::text))
CREATE INDEX photo_blob ON public.photo USING btree (blob_sha256)
CREATE INDEX photo_rendition ON public.photo USING btree (rendition_sha256) WHERE (rendition_sha256 IS NOT NULL)
CREATE INDEX photo_unchecked ON public.photo USING btree (record_id) WHERE ((checks = 'deferred'::text) AND (blob_sha256 IS NOT NULL))
CREATE INDEX photo_uncompared ON public.photo USING btree (id) WHERE ((NOT compared) AND (dhash IS NOT NULL) AND (kind = 'photo'::text))
CREATE UNIQUE INDEX photo_name_twins ON public.photo USING btree (record_id, lower(name))
table photo: policy everything to asbuilt_worker using true
table photo: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (( SELECT r.id FROM asbuilt_record r WHERE (r.id = photo.record_id)) IS NOT NULL))
table portal: key text not null
table portal: name text not null
table portal: url text not null default ''::text
table portal: recipe text not null
table portal: recipe_version integer not null
table portal: settle_s double precision not null default 90
table portal: approval boolean not null default false
table portal: engine text not null default 'asbuilt'::text
table portal: engine_config jsonb not null default '{}'::jsonb
table portal: constraint portal_engine CHECK ((engine = ANY (ARRAY['asbuilt'::text, 'skyvern'::text, 'browser-use'::text])))
table portal: constraint portal_engine_config CHECK (((jsonb_typeof(engine_config) = 'object'::text) AND
CASE engine
    WHEN 'skyvern'::text THEN (engine_config ?& ARRAY['agent_id'::text, 'number'::text])
    WHEN 'browser-use'::text THEN (engine_config ?& ARRAY['instructions'::text, 'hosts'::text, 'number'::text, 'workspace_id'::text])
    ELSE true
END))
table portal: constraint portal_key_check CHECK ((key ~ '^[a-z0-9][a-z0-9-]{0,39}$'::text))
table portal: constraint portal_pkey PRIMARY KEY (key)
table portal: constraint portal_recipe_version_check CHECK ((recipe_version > 0))
table portal: constraint portal_settle_s_check CHECK ((settle_s >= (0)::double precision))
table portal_account: id uuid not null default gen_random_uuid()
table portal_account: portal_key text not null
table portal_account: label text not null
table portal_account: max_runs integer not null default 2
table portal_account: starts_per_minute double precision
table portal_account: next_start_at timestamp with time zone
table portal_account: paused_at timestamp with time zone
table portal_account: paused_by text
table portal_account: paused_reason text
table portal_account: paused_as text
table portal_account: breaker_failures integer not null default 3
table portal_account: breaker_window_s double precision not null default 120
table portal_account: breaker_open_s double precision not null default 60
table portal_account: breaker_cap_s double precision not null default 900
table portal_account: breaker_until timestamp with time zone
table portal_account: breaker_openings integer not null default 0
table portal_account: breaker_reason text
table portal_account: counts_from timestamp with time zone not null default now()
table portal_account: constraint account_paused_says_why CHECK ((((paused_at IS NULL) = (paused_by IS NULL)) AND ((paused_at IS NULL) = (paused_as IS NULL)) AND ((paused_at IS NULL) = (paused_reason IS NULL))))
table portal_account: constraint portal_account_breaker_cap_s_check CHECK ((breaker_cap_s > (0)::double precision))
table portal_account: constraint portal_account_breaker_failures_check CHECK ((breaker_failures > 0))
table portal_account: constraint portal_account_breaker_open_s_check CHECK ((breaker_open_s > (0)::double precision))
table portal_account: constraint portal_account_breaker_window_s_check CHECK ((breaker_window_s > (0)::double precision))
table portal_account: constraint portal_account_max_runs_check CHECK (((max_runs >= 1) AND (max_runs <= 1000)))
table portal_account: constraint portal_account_paused_as_check CHECK ((paused_as = ANY (ARRAY['paused'::text, 'login'::text, 'recipe_paused'::text])))
table portal_account: constraint portal_account_pkey PRIMARY KEY (id)
table portal_account: constraint portal_account_portal_key_fkey FOREIGN KEY (portal_key) REFERENCES portal(key)
table portal_account: constraint portal_account_portal_key_label_key UNIQUE (portal_key, label)
table portal_account: constraint portal_account_starts_per_minute_check CHECK ((starts_per_minute > (0)::double precision))
table portal_slot: account_id uuid not null
table portal_slot: n integer not null
table portal_slot: job_id uuid
table portal_slot: taken_at timestamp with time zone
table portal_slot: run_at timestamp with time zone
table portal_slot: constraint portal_slot_account_id_fkey FOREIGN KEY (account_id) REFERENCES portal_account(id) ON DELETE CASCADE
table portal_slot: constraint portal_slot_check CHECK (((job_id IS NULL) = (taken_at IS NULL)))
table portal_slot: constraint portal_slot_check1 CHECK (((run_at IS NULL) OR (job_id IS NOT NULL)))
table portal_slot: constraint portal_slot_job_id_key UNIQUE (job_id)
table portal_slot: constraint portal_slot_n_check CHECK ((n > 0))
table portal_slot: constraint portal_slot_pkey PRIMARY KEY (account_id, n)
CREATE INDEX portal_slot_free ON public.portal_slot USING btree (account_id, n) WHERE (job_id IS NULL)
table portal_submission: portal_key text not null
table portal_submission: external_ref text not null
table portal_submission: job_id uuid not null
table portal_submission: state text not null
table portal_submission: attempt integer not null
table portal_submission: intents integer not null default 1
table portal_submission: intent_at timestamp with time zone not null
table portal_submission: confirmation text
table portal_submission: confirmed_by text
table portal_submission: evidence jsonb
table portal_submission: looks integer not null default 0
table portal_submission: constraint portal_submission_check CHECK (((state = 'confirmed'::text) = (confirmation IS NOT NULL)))
table portal_submission: constraint portal_submission_job_id_fkey FOREIGN KEY (job_id) REFERENCES automation_job(id)
table portal_submission: constraint portal_submission_pkey PRIMARY KEY (portal_key, external_ref)
table portal_submission: constraint portal_submission_portal_key_fkey FOREIGN KEY (portal_key) REFERENCES portal(key)
table portal_submission: constraint portal_submission_state_check CHECK ((state = ANY (ARRAY['intent'::text, 'absent'::text, 'confirmed'::text])))
CREATE INDEX portal_submission_job ON public.portal_submission USING btree (job_id)
table portal_submission: policy everything to asbuilt_worker using true
table portal_submission: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (( SELECT j.id FROM automation_job j WHERE (j.id = portal_submission.job_id)) IS NOT NULL))
table project: id uuid not null default gen_random_uuid()
table project: code text not null
table project: name text not null
table project: customer text not null default ''::text
table project: tz text not null default 'UTC'::text
table project: boundary jsonb
table project: site_lat double precision
table project: site_lon double precision
table project: site_radius_m double precision not null default 150
table project: state text not null default 'open'::text
table project: created_at timestamp with time zone not null default now()
table project: portal_account_id uuid
table project: approval boolean not null default false
table project: starts_on date
table project: approval_required boolean not null default false
table project: constraint project_boundary_check CHECK ((jsonb_typeof(boundary) = 'object'::text))
table project: constraint project_check CHECK (((site_lat IS NULL) = (site_lon IS NULL)))
table project: constraint project_code_check CHECK ((code ~ '^[a-z0-9][a-z0-9-]{0,39}$'::text))
table project: constraint project_code_key UNIQUE (code)
table project: constraint project_pkey PRIMARY KEY (id)
table project: constraint project_portal_account_id_fkey FOREIGN KEY (portal_account_id) REFERENCES portal_account(id)
table project: constraint project_site_lat_check CHECK (((site_lat >= ('-90'::integer)::double precision) AND (site_lat <= (90)::double precision)))
table project: constraint project_site_lon_check CHECK (((site_lon >= ('-180'::integer)::double precision) AND (site_lon <= (180)::double precision)))
table project: constraint project_site_radius_m_check CHECK (((site_radius_m >= (1)::double precision) AND (site_radius_m <= ('1000000'::numeric)::double precision)))
table project: constraint project_state_check CHECK ((state = ANY (ARRAY['open'::text, 'closing'::text, 'closed'::text])))
CREATE INDEX project_portal_account ON public.project USING btree (portal_account_id)
table project: policy everything to asbuilt_worker using true
table project: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (array_position(( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif"), id) IS NOT NULL))
table record_check: record_id uuid not null
table record_check: queue_job_id bigint not null
table record_check: at timestamp with time zone not null default now()
table record_check: constraint record_check_pkey PRIMARY KEY (record_id)
table record_check: constraint record_check_record_id_fkey FOREIGN KEY (record_id) REFERENCES asbuilt_record(id)
table record_check: policy everything to asbuilt_worker using true
table record_check: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (( SELECT r.id FROM asbuilt_record r WHERE (r.id = record_check.record_id)) IS NOT NULL))
table record_line: record_id uuid not null
table record_line: project_id uuid not null
table record_line: received_at timestamp with time zone not null
table record_line: captured_at timestamp with time zone
table record_line: review_state text not null
table record_line: job_state text
table record_line: portal_key text
table record_line: severity text not null default 'none'::text
table record_line: search text not null
table record_line: constraint record_line_pkey PRIMARY KEY (record_id)
table record_line: constraint record_line_project_id_fkey FOREIGN KEY (project_id) REFERENCES project(id)
table record_line: constraint record_line_record_id_fkey FOREIGN KEY (record_id) REFERENCES asbuilt_record(id) ON DELETE CASCADE
table record_line: constraint record_line_severity_check CHECK ((severity = ANY (ARRAY['blocker'::text, 'major'::text, 'minor'::text, 'info'::text, 'none'::text])))
CREATE INDEX record_line_all ON public.record_line USING btree (received_at DESC, record_id DESC)
CREATE INDEX record_line_list ON public.record_line USING btree (project_id, received_at DESC, record_id DESC)
CREATE INDEX record_line_search ON public.record_line USING gin (search gin_trgm_ops)
table record_revision: record_id uuid not null
table record_revision: revision integer not null
table record_revision: fields jsonb not null
table record_revision: at timestamp with time zone not null default now()
table record_revision: by text not null
table record_revision: reason text not null default ''::text
table record_revision: content jsonb not null default '{}'::jsonb
table record_revision: constraint record_revision_content_check CHECK ((jsonb_typeof(content) = 'object'::text))
table record_revision: constraint record_revision_pkey PRIMARY KEY (record_id, revision)
table record_revision: constraint record_revision_record_id_fkey FOREIGN KEY (record_id) REFERENCES asbuilt_record(id)
table record_revision: constraint record_revision_revision_check CHECK ((revision > 0))
table record_revision: policy everything to asbuilt_worker using true
table record_revision: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (( SELECT r.id FROM asbuilt_record r WHERE (r.id = record_revision.record_id)) IS NOT NULL))
table record_serial: project_id uuid not null
table record_serial: serial text not null
table record_serial: record_id uuid not null
table record_serial: field text not null
table record_serial: constraint record_serial_pkey PRIMARY KEY (project_id, serial, record_id)
table record_serial: constraint record_serial_project_id_fkey FOREIGN KEY (project_id) REFERENCES project(id)
table record_serial: constraint record_serial_record_id_fkey FOREIGN KEY (record_id) REFERENCES asbuilt_record(id)
table record_serial: constraint record_serial_serial_check CHECK ((serial <> ''::text))
CREATE INDEX record_serial_record ON public.record_serial USING btree (record_id)
table record_serial: policy everything to asbuilt_worker using true
table record_serial: policy in_sight to all using ((( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif") IS NULL) OR (array_position(( SELECT (NULLIF(current_setting('asbuilt.projects'::text, true), ''::text))::uuid[] AS "nullif"), project_id) IS NOT NULL))
table retention: what text not null
table retention: outcome text not null
table retention: keep interval not null
table retention: enabled boolean not null default true
table retention: note text not null
table retention: batch integer not null default 200
table retention: last_at timestamp with time zone
table retention: last_removed integer not null default 0
table retention: last_ms double precision not null default 0
table retention: longest_ms double precision not null default 0
table retention: removed bigint not null default 0
table retention: constraint retention_batch_check CHECK (((batch >= 1) AND (batch <= 10000)))
table retention: constraint retention_has_a_date CHECK ((keep <= '1000 years'::interval))
table retention: constraint retention_keep_check CHECK ((keep >= '00:00:00'::interval))
table retention: constraint retention_of_the_audit CHECK (((what <> 'audit'::text) OR (keep >= '1 year'::interval)))
table retention: constraint retention_of_uploads_in_progress CHECK (((what <> 'file'::text) OR (keep >= '00:30:00'::interval)))
table retention: constraint retention_pkey PRIMARY KEY (what, outcome)
table schema_migration: source text not null
table schema_migration: name text not null
table schema_migration: sha256 text not null
table schema_migration: applied_at timestamp with time zone not null default now()
table schema_migration: constraint schema_migration_pkey PRIMARY KEY (source, name)
table schema_migration: constraint schema_migration_source_check CHECK ((source = ANY (ARRAY['procrastinate'::text, 'asbuilt'::text, 'repeatable'::text])))
table sign_in_link: secret_hash bytea not null
table sign_in_link: user_id uuid not null
table sign_in_link: expires_at timestamp with time zone not null
table sign_in_link: used_at timestamp with time zone
table sign_in_link: constraint sign_in_link_pkey PRIMARY KEY (secret_hash)
table sign_in_link: constraint sign_in_link_secret_hash_check CHECK ((octet_length(secret_hash) = 32))
table sign_in_link: constraint sign_in_link_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user(id) ON DELETE CASCADE
CREATE INDEX sign_in_link_expires ON public.sign_in_link USING btree (expires_at)
table stream_epoch: single boolean not null default true
table stream_epoch: epoch uuid not null default gen_random_uuid()
table stream_epoch: constraint stream_epoch_pkey PRIMARY KEY (single)
table stream_epoch: constraint stream_epoch_single_check CHECK (single)
table turn: name text not null
table turn: next_at timestamp with time zone not null
table turn: constraint turn_pkey PRIMARY KEY (name)
table upload_session: id uuid not null default gen_random_uuid()
table upload_session: device_id uuid not null
table upload_session: record_id uuid not null
table upload_session: name text not null
table upload_session: declared_sha256 bytea
table upload_session: metadata text not null default ''::text
table upload_session: length bigint
table upload_session: received bigint not null default 0
table upload_session: state text not null default 'receiving'::text
table upload_session: refusal jsonb
table upload_session: created_at timestamp with time zone not null default now()
table upload_session: expires_at timestamp with time zone not null
table upload_session: constraint upload_session_check CHECK ((received <= length))
table upload_session: constraint upload_session_check1 CHECK (((state = 'receiving'::text) OR ((length IS NOT NULL) AND (received = length))))
table upload_session: constraint upload_session_check2 CHECK (((state = 'refused'::text) = (refusal IS NOT NULL)))
table upload_session: constraint upload_session_declared_sha256_check CHECK ((octet_length(declared_sha256) = 32))
table upload_session: constraint upload_session_device_id_fkey FOREIGN KEY (device_id) REFERENCES device(id)
table upload_session: constraint upload_session_length_check CHECK ((length >= 0))
table upload_session: constraint upload_session_metadata_check CHECK ((char_length(metadata) <= 8192))
table upload_session: constraint upload_session_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 120)))
table upload_session: constraint upload_session_pkey PRIMARY KEY (id)
table upload_session: constraint upload_session_received_check CHECK ((received >= 0))
table upload_session: constraint upload_session_state_check CHECK ((state = ANY (ARRAY['receiving'::text, 'complete'::text, 'accepted'::text, 'refused'::text])))
CREATE INDEX upload_session_due ON public.upload_session USING btree (expires_at)
CREATE INDEX upload_session_open ON public.upload_session USING btree (device_id) WHERE (state = ANY (ARRAY['receiving'::text, 'complete'::text]))
CREATE INDEX upload_session_waiting ON public.upload_session USING btree (record_id) WHERE (state = 'complete'::text)
table user_session: secret_hash bytea not null
table user_session: user_id uuid not null
table user_session: created_at timestamp with time zone not null default now()
table user_session: expires_at timestamp with time zone not null
table user_session: constraint user_session_pkey PRIMARY KEY (secret_hash)
table user_session: constraint user_session_secret_hash_check CHECK ((octet_length(secret_hash) = 32))
table user_session: constraint user_session_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user(id) ON DELETE CASCADE
CREATE INDEX user_session_expires ON public.user_session USING btree (expires_at)
CREATE INDEX user_session_user ON public.user_session USING btree (user_id)
table worker: name text not null
table worker: version text not null
table worker: places integer not null
table worker: beat_s double precision not null
table worker: started_at timestamp with time zone not null default clock_timestamp()
table worker: seen_at timestamp with time zone not null default clock_timestamp()
table worker: draining_at timestamp with time zone
table worker: ended_at timestamp with time zone
table worker: constraint worker_beat_s_check CHECK ((beat_s > (0)::double precision))
table worker: constraint worker_pkey PRIMARY KEY (name)
table worker: constraint worker_places_check CHECK ((places > 0))
view ops.attempts: job_id uuid
view ops.attempts: record_id uuid
view ops.attempts: project text
view ops.attempts: external_ref text
view ops.attempts: attempt integer
view ops.attempts: worker text
view ops.attempts: queue_row bigint
view ops.attempts: started_at timestamp with time zone
view ops.attempts: ended_at timestamp with time zone
view ops.attempts: took interval
view ops.attempts: lease_until timestamp with time zone
view ops.attempts: outcome text
view ops.attempts: steps_confirmed bigint
view ops.attempts: error_code text
view ops.attempts: error_class text
view ops.attempts: error_message text
view ops.attempts: error_step text
view ops.attempts: traceback text
view ops.attempts: log text
view ops.attempts: progress jsonb
view ops.audit: id bigint
view ops.audit: at timestamp with time zone
view ops.audit: actor text
view ops.audit: action text
view ops.audit: reason text
view ops.audit: project text
view ops.audit: record_id uuid
view ops.audit: external_ref text
view ops.audit: job_id uuid
view ops.audit: before jsonb
view ops.audit: after jsonb
view ops.audit: program text
view ops.backlog: project text
view ops.backlog: state text
view ops.backlog: wait_reason text
view ops.backlog: jobs bigint
view ops.backlog: oldest_at timestamp with time zone
view ops.backlog: oldest_age interval
view ops.failures: portal text
view ops.failures: project text
view ops.failures: fingerprint text
view ops.failures: step text
view ops.failures: code text
view ops.failures: class text
view ops.failures: message text
view ops.failures: jobs bigint
view ops.failures: retrying bigint
view ops.failures: first_at timestamp with time zone
view ops.failures: last_at timestamp with time zone
view ops.failures: newest_job uuid
view ops.jobs: id uuid
view ops.jobs: record_id uuid
view ops.jobs: project text
view ops.jobs: state text
view ops.jobs: wait_reason text
view ops.jobs: ready_at timestamp with time zone
view ops.jobs: attempt integer
view ops.jobs: failures integer
view ops.jobs: max_attempts integer
view ops.jobs: external_ref text
view ops.jobs: confirmation text
view ops.jobs: error_code text
view ops.jobs: error_message text
view ops.jobs: fingerprint text
view ops.jobs: created_at timestamp with time zone
view ops.jobs: queued_at timestamp with time zone
view ops.jobs: started_at timestamp with time zone
view ops.jobs: finished_at timestamp with time zone
view ops.jobs: queue_row bigint
view ops.jobs: queue character varying(128)
view ops.jobs: queue_status text
view ops.portals: portal text
view ops.portals: name text
view ops.portals: account text
view ops.portals: max_runs integer
view ops.portals: open_to integer
view ops.portals: taken bigint
view ops.portals: waiting bigint
view ops.portals: starts_per_minute double precision
view ops.portals: next_start_at timestamp with time zone
view ops.portals: paused_as text
view ops.portals: paused_reason text
view ops.portals: paused_by text
view ops.portals: paused_at timestamp with time zone
view ops.portals: breaker text
view ops.portals: breaker_reason text
view ops.portals: next_probe_at timestamp with time zone
view ops.questions: job_id uuid
view ops.questions: record_id uuid
view ops.questions: project text
view ops.questions: question uuid
view ops.questions: kind text
view ops.questions: prompt text
view ops.questions: asked_at timestamp with time zone
view ops.questions: expires_at timestamp with time zone
view ops.questions: answered_at timestamp with time zone
view ops.questions: answered_by text
view ops.questions: outcome text
view ops.queue_depth: project text
view ops.queue_depth: ready bigint
view ops.queue_depth: running bigint
view ops.queue_depth: waiting bigint
view ops.queue_depth: oldest_ready_at timestamp with time zone
view ops.queue_depth: oldest_ready_age interval
view ops.queue_depth: came_1h bigint
view ops.queue_depth: went_1h bigint
view ops.queue_depth: grew_1h bigint
view ops.records: id uuid
view ops.records: external_ref text
view ops.records: project text
view ops.records: form text
view ops.records: asset text
view ops.records: crew text
view ops.records: device text
view ops.records: revision integer
view ops.records: received_at timestamp with time zone
view ops.records: captured_at timestamp with time zone
view ops.records: review_state text
view ops.records: media_state text
view ops.records: photos bigint
view ops.records: open_blockers bigint
view ops.records: job_id uuid
view ops.records: state text
view ops.records: wait_reason text
view ops.records: attempt integer
view ops.records: error_code text
view ops.records: confirmation text
view ops.records: finished_at timestamp with time zone
view ops.retention: what text
view ops.retention: outcome text
view ops.retention: keep interval
view ops.retention: enabled boolean
view ops.retention: due bigint
view ops.retention: last_at timestamp with time zone
view ops.retention: last_removed integer
view ops.retention: last_ms double precision
view ops.retention: longest_ms double precision
view ops.retention: batch integer
view ops.retention: removed bigint
view ops.retention: note text
view ops.slow: portal text
view ops.slow: step text
view ops.slow: runs bigint
view ops.slow: p50_s double precision
view ops.slow: p95_s double precision
view ops.slow: max_s double precision
view ops.slow: total_s double precision
view ops.slow: slowest_job uuid
view ops.stuck: id uuid
view ops.stuck: record_id uuid
view ops.stuck: project text
view ops.stuck: external_ref text
view ops.stuck: state text
view ops.stuck: wait_reason text
view ops.stuck: since timestamp with time zone
view ops.stuck: age interval
view ops.stuck: why text
view ops.stuck: hint text
view ops.submissions: job_id uuid
view ops.submissions: record_id uuid
view ops.submissions: project text
view ops.submissions: portal text
view ops.submissions: external_ref text
view ops.submissions: present boolean
view ops.submissions: state text
view ops.submissions: confirmation text
view ops.submissions: confirmed_by text
view ops.submissions: attempt integer
view ops.submissions: intents integer
view ops.submissions: intent_at timestamp with time zone
view ops.throughput: project text
view ops.throughput: hour timestamp with time zone
view ops.throughput: completed bigint
view ops.throughput: failed bigint
view ops.throughput: lost bigint
view ops.throughput: pickup_p50_s double precision
view ops.throughput: pickup_p95_s double precision
view ops.throughput: run_p50_s double precision
view ops.throughput: run_p95_s double precision
view ops.timeline: at timestamp with time zone
view ops.timeline: record_id uuid
view ops.timeline: job_id uuid
view ops.timeline: seq integer
view ops.timeline: kind text
view ops.timeline: state text
view ops.timeline: actor text
view ops.timeline: reason text
view ops.timeline: data jsonb
view ops.workers: worker text
view ops.workers: state text
view ops.workers: version text
view ops.workers: places integer
view ops.workers: busy bigint
view ops.workers: started_at timestamp with time zone
view ops.workers: seen_at timestamp with time zone
view ops.workers: draining_at timestamp with time zone
view ops.workers: ended_at timestamp with time zone
function public.accept_photo(p_record uuid, p_photo jsonb, p_defects jsonb, p_actor text, OUT outcome text) returns text
function public.accept_record(p_project uuid, p_device uuid, p_record jsonb, p_photos jsonb, p_defects jsonb, p_fingerprint bytea, p_max_attempts integer, p_actor text, OUT outcome text, OUT job_id uuid, OUT job_state text, OUT received_at timestamp with time zone) returns record
function public.account_changed() returns trigger
function public.account_closed(a portal_account) returns text
function public.account_facts(a portal_account) returns jsonb
function public.account_stamp() returns trigger
function public.actor() returns text
function public.actor_kind(p_actor text) returns text
function public.add_defects(p_record uuid, p_revision integer, p_defects jsonb) returns void
function public.admit(p_job uuid) returns boolean
function public.alike_photos(p photo) returns TABLE(record_id uuid, photo text, finding jsonb)
function public.answer_input(p_job uuid, p_input uuid, p_cipher bytea, p_decision text, p_reason text) returns jsonb
function ops.answer_outcome(p_job uuid, p_submitted boolean, p_confirmation text, p_reason text) returns jsonb
function public.app_queue_abort() returns trigger
function public.app_queue_again() returns trigger
function public.app_queue_attempts() returns trigger
function public.app_queue_back() returns trigger
function public.app_queue_cancel() returns trigger
function public.app_queue_deleted() returns trigger
function public.app_queue_ended() returns trigger
function public.app_queue_events() returns trigger
function public.app_queue_plan() returns trigger
function public.app_queue_wake() returns trigger
function ops.approve(p_job uuid, p_approved boolean, p_reason text) returns jsonb
function public.attach_run(p_job uuid, p_attempt integer, p_generation integer, p_run_id text, p_last_seq integer) returns integer
function public.attempt_view(a automation_attempt) returns jsonb
function ops.bulk(p_act text, p_jobs uuid[], p_reason text) returns TABLE(job_id uuid, outcome text, message text, view jsonb)
function ops.cancel(p_job uuid, p_reason text) returns jsonb
function public.carries(q procrastinate_jobs, p_job uuid) returns boolean
function public.claim_attempt(p_job uuid, p_queue_job bigint, p_worker text, p_lease_s double precision) returns SETOF automation_job
function public.clear_rejections(p_job uuid) returns void
function public.close_attempt(p_job uuid, p_attempt integer, p_outcome text, p_error jsonb) returns boolean
function ops.comment(p_record uuid, p_text text) returns jsonb
function public.compare_photos(p_most integer) returns integer
function public.confirm_submission(p_job uuid, p_attempt integer, p_confirmation text, p_how text) returns void
function public.correct_record(p_project uuid, p_device uuid, p_expected integer, p_record jsonb, p_photos jsonb, p_defects jsonb, p_fingerprint bytea, p_actor text, OUT outcome text) returns text
function public.count_due(p_what text, p_outcome text, p_border timestamp with time zone, p_most integer) returns bigint
function public.defer_checks(p_record uuid) returns void
function ops.doctor(p_grace_s double precision) returns TABLE(rule text, job_id uuid, record_id uuid, sentence text, hint text)
function public.doctor_attempts(p_grace_s double precision) returns TABLE(rule text, job_id uuid, record_id uuid, sentence text, hint text)
function public.doctor_events() returns TABLE(rule text, job_id uuid, record_id uuid, sentence text, hint text)
function public.doctor_jobs(p_grace_s double precision) returns TABLE(rule text, job_id uuid, record_id uuid, sentence text, hint text)
function public.doctor_lines() returns TABLE(rule text, job_id uuid, record_id uuid, sentence text, hint text)
function public.doctor_queue(p_grace_s double precision) returns TABLE(rule text, job_id uuid, record_id uuid, sentence text, hint text)
function public.doctor_records() returns TABLE(rule text, job_id uuid, record_id uuid, sentence text, hint text)
function public.doctor_slots(p_grace_s double precision) returns TABLE(rule text, job_id uuid, record_id uuid, sentence text, hint text)
function public.doctor_submissions() returns TABLE(rule text, job_id uuid, record_id uuid, sentence text, hint text)
function public.due_attempts(p_what text, p_outcome text, p_border timestamp with time zone, p_most integer) returns TABLE(job_id uuid, attempt integer)
function public.due_queue_rows(p_outcome text, p_border timestamp with time zone, p_most integer) returns SETOF bigint
function public.end_waiting(job automation_job, p_code text, p_message text) returns automation_job
function public.expire_inputs() returns double precision
function public.external_ref(p_record uuid, p_try integer) returns text
function public.failure_fingerprint(p_step text, p_code text, p_message text) returns text
function public.failure_shape(p_message text) returns text
function public.free_slot(p_job uuid) returns uuid
function public.gin_extract_query_trgm(text, internal, smallint, internal, internal, internal, internal) returns internal
function public.gin_extract_value_trgm(text, internal) returns internal
function public.gin_trgm_consistent(internal, smallint, text, integer, internal, internal, internal, internal) returns boolean
function public.gin_trgm_triconsistent(internal, smallint, text, integer, internal, internal, internal) returns "char"
function public.gtrgm_compress(internal) returns internal
function public.gtrgm_consistent(internal, text, smallint, oid, internal) returns boolean
function public.gtrgm_decompress(internal) returns internal
function public.gtrgm_distance(internal, text, smallint, oid, internal) returns double precision
function public.gtrgm_in(cstring) returns gtrgm
function public.gtrgm_options(internal) returns void
function public.gtrgm_out(gtrgm) returns cstring
function public.gtrgm_penalty(internal, internal, internal) returns internal
function public.gtrgm_picksplit(internal, internal) returns internal
function public.gtrgm_same(gtrgm, gtrgm, internal) returns internal
function public.gtrgm_union(internal, internal) returns gtrgm
function ops.hold(p_job uuid, p_reason text) returns jsonb
function public.hold_commit(p_job uuid, p_attempt integer, p_hold_s double precision) returns boolean
function public.hold_job(job automation_job, p_reason text) returns void
function public.in_sight(p_project uuid) returns boolean
function public.input_end() returns trigger
function public.input_view(i automation_input) returns jsonb
function public.interrupt(job automation_job, p_progressed boolean) returns void
function public.job_guard() returns trigger
function public.job_since(j automation_job) returns timestamp with time zone
function public.job_slot() returns trigger
function public.job_stamp() returns trigger
function public.job_tell() returns trigger
function public.job_view(j automation_job) returns jsonb
function public.keep_blob(p_sha256 bytea, p_size bigint, p_type text) returns bytea
function public.known_accounts(p_portal text, p_account text) returns uuid[]
function public.known_job(p_job uuid) returns automation_job
function public.lock_job(p_job uuid) returns automation_job
function public.media_due(p_form text, p_version integer) returns timestamp with time zone
function public.near_photos(p photo, p_bits integer) returns TABLE(id uuid, received_at timestamp with time zone, compared boolean, bits integer, same boolean)
function public.next_waiters(p_account uuid, p_room bigint) returns TABLE(job_id uuid, queue_row bigint)
function public.note_edit(job automation_job, p_action text, p_reason text, p_before jsonb) returns void
function public.note_retention(p_what text, p_outcome text, p_removed integer, p_ms double precision) returns void
function public.nth_ref(p_reference text, p_times integer) returns text
function ops.pause_portal(p_portal text, p_reason text, p_account text) returns integer
function public.photo_elsewhere(p_sha256 bytea, p_project uuid, p_besides uuid[]) returns jsonb
function public.place_of(p_state text, p_wait_reason text) returns text
function public.plain_facts(p_facts jsonb) returns jsonb
function public.portal_answered(p_account uuid) returns void
function public.portal_trouble(p_account uuid, p_error jsonb) returns void
function public.portal_wide(p_code text, p_class text) returns boolean
function public.promote(p_account uuid) returns SETOF uuid
function public.promote_due() returns double precision
function public.promote_probes() returns void
function public.queue_checks(p_record uuid) returns bigint
function public.queue_defer(p_job uuid, p_queue text, p_first boolean) returns bigint
function public.queue_move(p_queue_job bigint) returns void
function public.recheck_slot(job automation_job) returns text
function public.reconcile(p_grace_s double precision) returns TABLE(kind text, job_id uuid)
function public.reconcile_checks(p_grace_s double precision) returns SETOF uuid
function public.reconcile_lost() returns SETOF uuid
function public.reconcile_overdue(p_now timestamp with time zone) returns SETOF uuid
function public.reconcile_rowless() returns SETOF uuid
function public.reconcile_slots() returns TABLE(kind text, job_id uuid)
function public.reconcile_strays(p_grace_s double precision) returns void
function public.reconcile_unclaimed(p_grace_s double precision) returns SETOF uuid
function public.reconcile_unfinished(p_grace_s double precision) returns SETOF uuid
function public.record_intent(p_job uuid, p_attempt integer) returns boolean
function public.record_line_defects() returns trigger
function public.record_line_facts(p_record uuid, OUT job_state text, OUT portal_key text, OUT severity text) returns record
function public.record_line_jobs() returns trigger
function public.record_line_records() returns trigger
function public.record_line_text(r asbuilt_record) returns text
function public.record_lines(p_projects uuid[], p_filter jsonb) returns SETOF record_line
function public.record_needs(p_record uuid) returns text
function public.record_row(r asbuilt_record) returns jsonb
function public.record_tell() returns trigger
function public.record_version() returns trigger
function public.refute_intent(p_job uuid, p_attempt integer, p_evidence jsonb) returns void
function ops.release(p_job uuid, p_reason text) returns jsonb
function public.release_blobs(p_sha256 bytea[], p_older_s double precision) returns SETOF bytea
function public.remove_audit(p_border timestamp with time zone, p_most integer) returns integer
function public.remove_logs(p_outcome text, p_border timestamp with time zone, p_most integer) returns integer
function public.remove_pictures(p_outcome text, p_border timestamp with time zone, p_most integer) returns integer
function public.remove_queue_rows(p_outcome text, p_border timestamp with time zone, p_most integer) returns integer
function public.remove_secrets(p_what text, p_border timestamp with time zone, p_most integer) returns integer
function public.report_rejection(p_job uuid, p_attempt integer, p_findings jsonb) returns void
function ops.requeue(p_reason text, p_portal text, p_project text, p_code text, p_step text, p_fingerprint text, p_failed_since timestamp with time zone, p_limit integer, p_dry_run boolean) returns TABLE(job_id uuid, project text, external_ref text, code text, step text, outcome text, message text)
function ops.require_approval(p_on boolean, p_reason text, p_portal text, p_project text) returns void
function ops.require_review(p_project text, p_on boolean, p_reason text) returns integer
function public.reserve_start(p_job uuid, p_attempt integer) returns double precision
function public.restart_job(job automation_job) returns automation_job
function public.restate_waiters(a portal_account) returns void
function public.resume_job(job automation_job) returns void
function ops.resume_portal(p_portal text, p_reason text, p_account text) returns integer
function public.retain(p_what text, p_outcome text, p_begins boolean, p_batch integer, OUT removed integer, OUT took_ms double precision, OUT more boolean, OUT next_batch integer) returns record
function public.retention_changed() returns trigger
function ops.retry(p_job uuid, p_reason text) returns jsonb
function ops.review(p_record uuid, p_decision text, p_note text, p_version integer) returns jsonb
function public.review_needs(p_record uuid) returns text
function public.review_view(r asbuilt_record) returns jsonb
function public.revise_defects(p_record uuid, p_revision integer, p_defects jsonb) returns void
function public.revision_content(r asbuilt_record) returns jsonb
function ops.run_again(p_job uuid, p_reason text, p_confirmation text) returns jsonb
function public.said_why(p_reason text) returns text
function public.sees_people() returns boolean
function ops.set_limit(p_portal text, p_max_runs integer, p_reason text, p_account text, p_starts_per_minute double precision) returns integer
function public.set_limit(real) returns real
function ops.set_retention(p_what text, p_keep interval, p_reason text, p_outcome text) returns integer
function public.set_serials(p_project uuid, p_record uuid, p_serials jsonb) returns void
function public.settle_absent(p_job uuid, p_attempt integer, p_as_of timestamp with time zone) returns boolean
function public.settle_asked(p_job uuid, p_attempt integer, p_question jsonb, p_error jsonb) returns boolean
function public.settle_cancelled(p_job uuid, p_attempt integer) returns boolean
function public.settle_check(p_record uuid, p_photo jsonb, p_defects jsonb) returns integer
function public.settle_completed(p_job uuid, p_attempt integer, p_confirmation text, p_how text, p_portal_url text) returns boolean
function public.settle_detached(p_job uuid, p_attempt integer) returns boolean
function public.settle_failed(p_job uuid, p_attempt integer, p_error jsonb, p_again boolean, p_spends text, p_run_over boolean, p_base_s double precision, p_wait_s double precision) returns text
function public.settle_parked(p_job uuid, p_attempt integer, p_wait_reason text, p_error jsonb) returns boolean
function public.settle_verifying(p_job uuid, p_attempt integer, p_error jsonb, p_spends text, p_run_over boolean, p_blind boolean, p_look_s double precision, p_verify_s double precision) returns text
function public.show_limit() returns real
function public.show_trgm(text) returns text[]
function public.similarity(text, text) returns real
function public.similarity_dist(text, text) returns real
function public.similarity_op(text, text) returns boolean
function public.size_slots(a portal_account) returns void
function public.state_waiting(p_reason text) returns text
function public.strict_word_similarity(text, text) returns real
function public.strict_word_similarity_commutator_op(text, text) returns boolean
function public.strict_word_similarity_dist_commutator_op(text, text) returns real
function public.strict_word_similarity_dist_op(text, text) returns real
function public.strict_word_similarity_op(text, text) returns boolean
function public.take_slot(p_account uuid, p_job uuid) returns text
function public.try_lock_job(p_job uuid) returns automation_job
function public.under_way(job automation_job) returns boolean
function public.uuid7() returns uuid
function ops.waive(p_defect uuid, p_reason text) returns jsonb
function public.why_given(p_reason text) returns text
function public.word_similarity(text, text) returns real
function public.word_similarity_commutator_op(text, text) returns boolean
function public.word_similarity_dist_commutator_op(text, text) returns real
function public.word_similarity_dist_op(text, text) returns real
function public.word_similarity_op(text, text) returns boolean
CREATE TRIGGER account_changed AFTER UPDATE ON public.portal_account FOR EACH ROW WHEN (((new.max_runs <> old.max_runs) OR (new.starts_per_minute IS DISTINCT FROM old.starts_per_minute) OR (new.paused_at IS DISTINCT FROM old.paused_at) OR (new.breaker_until IS DISTINCT FROM old.breaker_until))) EXECUTE FUNCTION account_changed()
CREATE TRIGGER account_made AFTER INSERT ON public.portal_account FOR EACH ROW EXECUTE FUNCTION account_changed()
CREATE TRIGGER account_stamp BEFORE UPDATE ON public.portal_account FOR EACH ROW WHEN ((new.paused_at IS DISTINCT FROM old.paused_at)) EXECUTE FUNCTION account_stamp()
CREATE TRIGGER app_queue_abort BEFORE UPDATE OF abort_requested ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status = 'doing'::procrastinate_job_status) AND (new.status = 'doing'::procrastinate_job_status) AND new.abort_requested AND (NOT old.abort_requested))) EXECUTE FUNCTION app_queue_abort()
CREATE TRIGGER app_queue_again BEFORE UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status <> ALL (ARRAY['todo'::procrastinate_job_status, 'doing'::procrastinate_job_status])) AND (new.status = ANY (ARRAY['todo'::procrastinate_job_status, 'doing'::procrastinate_job_status])))) EXECUTE FUNCTION app_queue_again()
CREATE TRIGGER app_queue_attempts AFTER UPDATE OF attempts ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (new.status = old.status) AND (new.attempts <> old.attempts))) EXECUTE FUNCTION app_queue_attempts()
CREATE TRIGGER app_queue_back BEFORE UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status = 'doing'::procrastinate_job_status) AND (new.status = 'todo'::procrastinate_job_status))) EXECUTE FUNCTION app_queue_back()
CREATE TRIGGER app_queue_cancel AFTER UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status = 'todo'::procrastinate_job_status) AND (new.status = 'cancelled'::procrastinate_job_status))) EXECUTE FUNCTION app_queue_cancel()
CREATE TRIGGER app_queue_deleted AFTER DELETE ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status = ANY (ARRAY['todo'::procrastinate_job_status, 'doing'::procrastinate_job_status])))) EXECUTE FUNCTION app_queue_deleted()
CREATE TRIGGER app_queue_ended AFTER UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status = ANY (ARRAY['todo'::procrastinate_job_status, 'doing'::procrastinate_job_status])) AND (new.status = ANY (ARRAY['succeeded'::procrastinate_job_status, 'failed'::procrastinate_job_status, 'aborted'::procrastinate_job_status])) AND (new.attempts = old.attempts))) EXECUTE FUNCTION app_queue_ended()
CREATE TRIGGER app_queue_events AFTER TRUNCATE ON public.procrastinate_events FOR EACH STATEMENT EXECUTE FUNCTION app_queue_events()
CREATE TRIGGER app_queue_plan BEFORE UPDATE OF queue_name, scheduled_at ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status = 'todo'::procrastinate_job_status) AND (new.status = 'todo'::procrastinate_job_status) AND (((new.queue_name)::text <> (old.queue_name)::text) OR (new.scheduled_at IS DISTINCT FROM old.scheduled_at)))) EXECUTE FUNCTION app_queue_plan()
CREATE TRIGGER app_queue_truncated BEFORE TRUNCATE ON public.procrastinate_jobs FOR EACH STATEMENT EXECUTE FUNCTION app_queue_deleted()
CREATE TRIGGER app_queue_wake AFTER UPDATE OF status, queue_name, scheduled_at ON public.procrastinate_jobs FOR EACH ROW WHEN (((new.status = 'todo'::procrastinate_job_status) AND ((new.scheduled_at IS NULL) OR (new.scheduled_at <= clock_timestamp())) AND ((old.status <> 'todo'::procrastinate_job_status) OR ((new.queue_name)::text <> (old.queue_name)::text) OR (new.scheduled_at IS DISTINCT FROM old.scheduled_at)))) EXECUTE FUNCTION app_queue_wake()
CREATE TRIGGER input_end AFTER UPDATE OF state, generation ON public.automation_job FOR EACH ROW WHEN (((new.generation > old.generation) OR ((new.state = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text])) AND (old.state <> ALL (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text]))))) EXECUTE FUNCTION input_end()
CREATE TRIGGER job_guard BEFORE UPDATE OF state ON public.automation_job FOR EACH ROW WHEN ((new.state <> old.state)) EXECUTE FUNCTION job_guard()
CREATE TRIGGER job_slot AFTER UPDATE OF state, generation ON public.automation_job FOR EACH ROW WHEN ((((new.generation > old.generation) AND (old.state <> 'completed'::text)) OR ((new.state = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text])) AND (old.state <> ALL (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text]))) OR ((new.state = 'needs_input'::text) AND (new.wait_reason = 'outcome_unknown'::text) AND (old.state <> 'needs_input'::text)))) EXECUTE FUNCTION job_slot()
CREATE TRIGGER job_stamp BEFORE INSERT OR UPDATE ON public.automation_job FOR EACH ROW EXECUTE FUNCTION job_stamp()
CREATE TRIGGER job_tell AFTER INSERT OR UPDATE ON public.automation_job FOR EACH ROW EXECUTE FUNCTION job_tell()
CREATE TRIGGER record_line_changed AFTER UPDATE OF asset_key, crew, fields, captured_at, review_state, deleted_at ON public.asbuilt_record FOR EACH ROW EXECUTE FUNCTION record_line_records()
CREATE TRIGGER record_line_defects_changed AFTER UPDATE ON public.defect REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION record_line_defects()
CREATE TRIGGER record_line_defects_gone AFTER DELETE ON public.defect REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION record_line_defects()
CREATE TRIGGER record_line_defects_new AFTER INSERT ON public.defect REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION record_line_defects()
CREATE TRIGGER record_line_job_changed AFTER UPDATE OF state, account_id ON public.automation_job FOR EACH ROW WHEN (((old.state <> new.state) OR (old.account_id <> new.account_id))) EXECUTE FUNCTION record_line_jobs()
CREATE TRIGGER record_line_job_new AFTER INSERT ON public.automation_job FOR EACH ROW EXECUTE FUNCTION record_line_jobs()
CREATE TRIGGER record_line_new AFTER INSERT ON public.asbuilt_record FOR EACH ROW EXECUTE FUNCTION record_line_records()
CREATE TRIGGER record_tell AFTER DELETE OR UPDATE OF name, shot_key, kind, blob_sha256, rejected_reason, received_at, width, height, taken_at, lat, lon ON public.photo FOR EACH ROW EXECUTE FUNCTION record_tell()
CREATE TRIGGER record_tell AFTER DELETE OR UPDATE ON public.defect FOR EACH ROW EXECUTE FUNCTION record_tell()
CREATE TRIGGER record_tell AFTER INSERT OR DELETE OR UPDATE ON public.comment FOR EACH ROW EXECUTE FUNCTION record_tell()
CREATE TRIGGER record_tell AFTER UPDATE OF asset_key, crew, revision, fields, lat, lon, h_accuracy_m, captured_at, review_state, review_note, media_state, deleted_at ON public.asbuilt_record FOR EACH ROW EXECUTE FUNCTION record_tell()
CREATE TRIGGER record_version BEFORE UPDATE OF revision, review_state ON public.asbuilt_record FOR EACH ROW EXECUTE FUNCTION record_version()
CREATE TRIGGER retention_changed AFTER UPDATE OF keep, enabled ON public.retention FOR EACH ROW WHEN (((new.keep <> old.keep) OR (new.enabled <> old.enabled))) EXECUTE FUNCTION retention_changed()
grant asbuilt_app: execute on accept_photo(p_record uuid, p_photo jsonb, p_defects jsonb, p_actor text, OUT outcome text)
grant asbuilt_app: execute on accept_record(p_project uuid, p_device uuid, p_record jsonb, p_photos jsonb, p_defects jsonb, p_fingerprint bytea, p_max_attempts integer, p_actor text, OUT outcome text, OUT job_id uuid, OUT job_state text, OUT received_at timestamp with time zone)
grant asbuilt_app: select on access_token
grant asbuilt_app: execute on account_changed()
grant asbuilt_app: execute on account_closed(a portal_account)
grant asbuilt_app: execute on account_facts(a portal_account)
grant asbuilt_app: execute on account_stamp()
grant asbuilt_app: execute on actor()
grant asbuilt_app: execute on actor_kind(p_actor text)
grant asbuilt_app: execute on add_defects(p_record uuid, p_revision integer, p_defects jsonb)
grant asbuilt_app: execute on admit(p_job uuid)
grant asbuilt_app: execute on alike_photos(p photo)
grant asbuilt_app: execute on answer_input(p_job uuid, p_input uuid, p_cipher bytea, p_decision text, p_reason text)
grant asbuilt_app: execute on app_queue_abort()
grant asbuilt_app: execute on app_queue_again()
grant asbuilt_app: execute on app_queue_attempts()
grant asbuilt_app: execute on app_queue_back()
grant asbuilt_app: execute on app_queue_cancel()
grant asbuilt_app: execute on app_queue_deleted()
grant asbuilt_app: execute on app_queue_ended()
grant asbuilt_app: execute on app_queue_events()
grant asbuilt_app: execute on app_queue_plan()
grant asbuilt_app: execute on app_queue_wake()
grant asbuilt_app: select on app_user
grant asbuilt_app: select on artifact
grant asbuilt_app: insert, select, update on asbuilt_record
grant asbuilt_app: execute on attach_run(p_job uuid, p_attempt integer, p_generation integer, p_run_id text, p_last_seq integer)
grant asbuilt_app: execute on attempt_view(a automation_attempt)
grant asbuilt_app: insert, select on audit_event
grant asbuilt_app: select on automation_attempt
grant asbuilt_app: select, update on automation_input
grant asbuilt_app: insert, select, update on automation_job
grant asbuilt_app: select on automation_run
grant asbuilt_app: select on automation_step
grant asbuilt_app: delete, insert, select, update (type) on blob
grant asbuilt_app: execute on carries(q procrastinate_jobs, p_job uuid)
grant asbuilt_app: execute on claim_attempt(p_job uuid, p_queue_job bigint, p_worker text, p_lease_s double precision)
grant asbuilt_app: execute on clear_rejections(p_job uuid)
grant asbuilt_app: execute on close_attempt(p_job uuid, p_attempt integer, p_outcome text, p_error jsonb)
grant asbuilt_app: insert, select on comment
grant asbuilt_app: execute on compare_photos(p_most integer)
grant asbuilt_app: execute on confirm_submission(p_job uuid, p_attempt integer, p_confirmation text, p_how text)
grant asbuilt_app: execute on correct_record(p_project uuid, p_device uuid, p_expected integer, p_record jsonb, p_photos jsonb, p_defects jsonb, p_fingerprint bytea, p_actor text, OUT outcome text)
grant asbuilt_app: execute on count_due(p_what text, p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_app: insert, select, update on defect
grant asbuilt_app: execute on defer_checks(p_record uuid)
grant asbuilt_app: select on design_asset
grant asbuilt_app: select on device
grant asbuilt_app: execute on doctor_attempts(p_grace_s double precision)
grant asbuilt_app: execute on doctor_events()
grant asbuilt_app: execute on doctor_jobs(p_grace_s double precision)
grant asbuilt_app: execute on doctor_lines()
grant asbuilt_app: execute on doctor_queue(p_grace_s double precision)
grant asbuilt_app: execute on doctor_records()
grant asbuilt_app: execute on doctor_slots(p_grace_s double precision)
grant asbuilt_app: execute on doctor_submissions()
grant asbuilt_app: execute on due_attempts(p_what text, p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_app: execute on due_queue_rows(p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_app: execute on end_waiting(job automation_job, p_code text, p_message text)
grant asbuilt_app: execute on expire_inputs()
grant asbuilt_app: execute on external_ref(p_record uuid, p_try integer)
grant asbuilt_app: execute on failure_fingerprint(p_step text, p_code text, p_message text)
grant asbuilt_app: execute on failure_shape(p_message text)
grant asbuilt_app: select on form_def
grant asbuilt_app: execute on free_slot(p_job uuid)
grant asbuilt_app: execute on hold_commit(p_job uuid, p_attempt integer, p_hold_s double precision)
grant asbuilt_app: execute on hold_job(job automation_job, p_reason text)
grant asbuilt_app: delete, insert, select, update on idempotency_key
grant asbuilt_app: execute on in_sight(p_project uuid)
grant asbuilt_app: execute on input_end()
grant asbuilt_app: execute on input_view(i automation_input)
grant asbuilt_app: execute on interrupt(job automation_job, p_progressed boolean)
grant asbuilt_app: insert, select on job_event
grant asbuilt_app: execute on job_guard()
grant asbuilt_app: execute on job_since(j automation_job)
grant asbuilt_app: execute on job_slot()
grant asbuilt_app: execute on job_stamp()
grant asbuilt_app: execute on job_tell()
grant asbuilt_app: execute on job_view(j automation_job)
grant asbuilt_app: execute on keep_blob(p_sha256 bytea, p_size bigint, p_type text)
grant asbuilt_app: execute on known_accounts(p_portal text, p_account text)
grant asbuilt_app: execute on known_job(p_job uuid)
grant asbuilt_app: execute on lock_job(p_job uuid)
grant asbuilt_app: execute on media_due(p_form text, p_version integer)
grant asbuilt_app: select on membership
grant asbuilt_app: execute on near_photos(p photo, p_bits integer)
grant asbuilt_app: execute on next_waiters(p_account uuid, p_room bigint)
grant asbuilt_app: execute on note_edit(job automation_job, p_action text, p_reason text, p_before jsonb)
grant asbuilt_app: execute on note_retention(p_what text, p_outcome text, p_removed integer, p_ms double precision)
grant asbuilt_app: execute on nth_ref(p_reference text, p_times integer)
grant asbuilt_app: execute on ops.answer_outcome
grant asbuilt_app: execute on ops.bulk
grant asbuilt_app: execute on ops.cancel
grant asbuilt_app: execute on ops.comment
grant asbuilt_app: execute on ops.hold
grant asbuilt_app: execute on ops.pause_portal
grant asbuilt_app: select on ops.portals
grant asbuilt_app: execute on ops.release
grant asbuilt_app: execute on ops.resume_portal
grant asbuilt_app: execute on ops.retry
grant asbuilt_app: execute on ops.review
grant asbuilt_app: execute on ops.run_again
grant asbuilt_app: execute on ops.set_limit
grant asbuilt_app: execute on ops.waive
grant asbuilt_app: select on ops.workers
grant asbuilt_app: delete, insert, select, update on photo
grant asbuilt_app: execute on photo_elsewhere(p_sha256 bytea, p_project uuid, p_besides uuid[])
grant asbuilt_app: execute on place_of(p_state text, p_wait_reason text)
grant asbuilt_app: execute on plain_facts(p_facts jsonb)
grant asbuilt_app: select on portal
grant asbuilt_app: select, update on portal_account
grant asbuilt_app: execute on portal_answered(p_account uuid)
grant asbuilt_app: delete, insert, select, update on portal_slot
grant asbuilt_app: select on portal_submission
grant asbuilt_app: execute on portal_trouble(p_account uuid, p_error jsonb)
grant asbuilt_app: execute on portal_wide(p_code text, p_class text)
grant asbuilt_app: insert, select on procrastinate_events
grant asbuilt_app: insert, select, update on procrastinate_jobs
grant asbuilt_app: select on procrastinate_workers
grant asbuilt_app: select on project
grant asbuilt_app: execute on promote(p_account uuid)
grant asbuilt_app: execute on promote_due()
grant asbuilt_app: execute on promote_probes()
grant asbuilt_app: execute on queue_checks(p_record uuid)
grant asbuilt_app: execute on queue_defer(p_job uuid, p_queue text, p_first boolean)
grant asbuilt_app: execute on queue_move(p_queue_job bigint)
grant asbuilt_app: execute on recheck_slot(job automation_job)
grant asbuilt_app: execute on reconcile(p_grace_s double precision)
grant asbuilt_app: execute on reconcile_checks(p_grace_s double precision)
grant asbuilt_app: execute on reconcile_lost()
grant asbuilt_app: execute on reconcile_overdue(p_now timestamp with time zone)
grant asbuilt_app: execute on reconcile_rowless()
grant asbuilt_app: execute on reconcile_slots()
grant asbuilt_app: execute on reconcile_strays(p_grace_s double precision)
grant asbuilt_app: execute on reconcile_unclaimed(p_grace_s double precision)
grant asbuilt_app: execute on reconcile_unfinished(p_grace_s double precision)
grant asbuilt_app: delete, insert, select, update on record_check
grant asbuilt_app: execute on record_intent(p_job uuid, p_attempt integer)
grant asbuilt_app: delete, insert, select, update on record_line
grant asbuilt_app: execute on record_line_defects()
grant asbuilt_app: execute on record_line_facts(p_record uuid, OUT job_state text, OUT portal_key text, OUT severity text)
grant asbuilt_app: execute on record_line_jobs()
grant asbuilt_app: execute on record_line_records()
grant asbuilt_app: execute on record_line_text(r asbuilt_record)
grant asbuilt_app: execute on record_lines(p_projects uuid[], p_filter jsonb)
grant asbuilt_app: execute on record_needs(p_record uuid)
grant asbuilt_app: insert, select on record_revision
grant asbuilt_app: execute on record_row(r asbuilt_record)
grant asbuilt_app: delete, insert, select, update on record_serial
grant asbuilt_app: execute on record_tell()
grant asbuilt_app: execute on record_version()
grant asbuilt_app: execute on refute_intent(p_job uuid, p_attempt integer, p_evidence jsonb)
grant asbuilt_app: execute on release_blobs(p_sha256 bytea[], p_older_s double precision)
grant asbuilt_app: execute on remove_audit(p_border timestamp with time zone, p_most integer)
grant asbuilt_app: execute on remove_logs(p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_app: execute on remove_pictures(p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_app: execute on remove_queue_rows(p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_app: execute on remove_secrets(p_what text, p_border timestamp with time zone, p_most integer)
grant asbuilt_app: execute on report_rejection(p_job uuid, p_attempt integer, p_findings jsonb)
grant asbuilt_app: execute on reserve_start(p_job uuid, p_attempt integer)
grant asbuilt_app: execute on restate_waiters(a portal_account)
grant asbuilt_app: execute on resume_job(job automation_job)
grant asbuilt_app: select on retention
grant asbuilt_app: execute on retention_changed()
grant asbuilt_app: execute on review_needs(p_record uuid)
grant asbuilt_app: execute on review_view(r asbuilt_record)
grant asbuilt_app: execute on revise_defects(p_record uuid, p_revision integer, p_defects jsonb)
grant asbuilt_app: execute on revision_content(r asbuilt_record)
grant asbuilt_app: execute on said_why(p_reason text)
grant asbuilt_app: select on schema_migration
grant asbuilt_app: execute on sees_people()
grant asbuilt_app: execute on set_serials(p_project uuid, p_record uuid, p_serials jsonb)
grant asbuilt_app: execute on settle_absent(p_job uuid, p_attempt integer, p_as_of timestamp with time zone)
grant asbuilt_app: execute on settle_asked(p_job uuid, p_attempt integer, p_question jsonb, p_error jsonb)
grant asbuilt_app: execute on settle_cancelled(p_job uuid, p_attempt integer)
grant asbuilt_app: execute on settle_check(p_record uuid, p_photo jsonb, p_defects jsonb)
grant asbuilt_app: execute on settle_completed(p_job uuid, p_attempt integer, p_confirmation text, p_how text, p_portal_url text)
grant asbuilt_app: execute on settle_detached(p_job uuid, p_attempt integer)
grant asbuilt_app: execute on settle_failed(p_job uuid, p_attempt integer, p_error jsonb, p_again boolean, p_spends text, p_run_over boolean, p_base_s double precision, p_wait_s double precision)
grant asbuilt_app: execute on settle_parked(p_job uuid, p_attempt integer, p_wait_reason text, p_error jsonb)
grant asbuilt_app: execute on settle_verifying(p_job uuid, p_attempt integer, p_error jsonb, p_spends text, p_run_over boolean, p_blind boolean, p_look_s double precision, p_verify_s double precision)
grant asbuilt_app: select, update (used_at) on sign_in_link
grant asbuilt_app: execute on size_slots(a portal_account)
grant asbuilt_app: execute on state_waiting(p_reason text)
grant asbuilt_app: select on stream_epoch
grant asbuilt_app: execute on take_slot(p_account uuid, p_job uuid)
grant asbuilt_app: execute on try_lock_job(p_job uuid)
grant asbuilt_app: delete, insert, select, update on turn
grant asbuilt_app: execute on under_way(job automation_job)
grant asbuilt_app: delete, insert, select, update on upload_session
grant asbuilt_app: delete, insert, select on user_session
grant asbuilt_app: execute on uuid7()
grant asbuilt_app: execute on why_given(p_reason text)
grant asbuilt_app: select on worker
grant asbuilt_operator: execute on account_closed(a portal_account)
grant asbuilt_operator: execute on actor_kind(p_actor text)
grant asbuilt_operator: execute on count_due(p_what text, p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_operator: execute on failure_shape(p_message text)
grant asbuilt_operator: execute on job_since(j automation_job)
grant asbuilt_operator: execute on ops.answer_outcome
grant asbuilt_operator: execute on ops.approve
grant asbuilt_operator: select on ops.attempts
grant asbuilt_operator: select on ops.audit
grant asbuilt_operator: select on ops.backlog
grant asbuilt_operator: execute on ops.bulk
grant asbuilt_operator: execute on ops.cancel
grant asbuilt_operator: execute on ops.comment
grant asbuilt_operator: execute on ops.doctor
grant asbuilt_operator: select on ops.failures
grant asbuilt_operator: execute on ops.hold
grant asbuilt_operator: select on ops.jobs
grant asbuilt_operator: execute on ops.pause_portal
grant asbuilt_operator: select on ops.portals
grant asbuilt_operator: select on ops.questions
grant asbuilt_operator: select on ops.queue_depth
grant asbuilt_operator: select on ops.records
grant asbuilt_operator: execute on ops.release
grant asbuilt_operator: execute on ops.requeue
grant asbuilt_operator: execute on ops.require_approval
grant asbuilt_operator: execute on ops.require_review
grant asbuilt_operator: execute on ops.resume_portal
grant asbuilt_operator: select on ops.retention
grant asbuilt_operator: execute on ops.retry
grant asbuilt_operator: execute on ops.review
grant asbuilt_operator: execute on ops.run_again
grant asbuilt_operator: execute on ops.set_limit
grant asbuilt_operator: execute on ops.set_retention
grant asbuilt_operator: select on ops.slow
grant asbuilt_operator: select on ops.stuck
grant asbuilt_operator: select on ops.submissions
grant asbuilt_operator: select on ops.throughput
grant asbuilt_operator: select on ops.timeline
grant asbuilt_operator: execute on ops.waive
grant asbuilt_operator: select on ops.workers
grant asbuilt_operator: execute on plain_facts(p_facts jsonb)
grant asbuilt_operator: insert, select on procrastinate_events
grant asbuilt_operator: delete, select, update on procrastinate_jobs
grant asbuilt_operator: select, update (job_id) on procrastinate_periodic_defers
grant asbuilt_operator: select on procrastinate_workers
grant asbuilt_operator: select, update (enabled), update (keep) on retention
grant asbuilt_operator: execute on sees_people()
grant asbuilt_readonly: execute on account_closed(a portal_account)
grant asbuilt_readonly: execute on actor_kind(p_actor text)
grant asbuilt_readonly: execute on count_due(p_what text, p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_readonly: execute on failure_shape(p_message text)
grant asbuilt_readonly: execute on job_since(j automation_job)
grant asbuilt_readonly: select on ops.attempts
grant asbuilt_readonly: select on ops.audit
grant asbuilt_readonly: select on ops.backlog
grant asbuilt_readonly: execute on ops.doctor
grant asbuilt_readonly: select on ops.failures
grant asbuilt_readonly: select on ops.jobs
grant asbuilt_readonly: select on ops.portals
grant asbuilt_readonly: select on ops.questions
grant asbuilt_readonly: select on ops.queue_depth
grant asbuilt_readonly: select on ops.records
grant asbuilt_readonly: select on ops.retention
grant asbuilt_readonly: select on ops.slow
grant asbuilt_readonly: select on ops.stuck
grant asbuilt_readonly: select on ops.submissions
grant asbuilt_readonly: select on ops.throughput
grant asbuilt_readonly: select on ops.timeline
grant asbuilt_readonly: select on ops.workers
grant asbuilt_readonly: execute on plain_facts(p_facts jsonb)
grant asbuilt_readonly: select on procrastinate_events
grant asbuilt_readonly: select on procrastinate_jobs
grant asbuilt_readonly: select on procrastinate_periodic_defers
grant asbuilt_readonly: select on procrastinate_workers
grant asbuilt_readonly: execute on sees_people()
grant asbuilt_worker: execute on accept_photo(p_record uuid, p_photo jsonb, p_defects jsonb, p_actor text, OUT outcome text)
grant asbuilt_worker: execute on accept_record(p_project uuid, p_device uuid, p_record jsonb, p_photos jsonb, p_defects jsonb, p_fingerprint bytea, p_max_attempts integer, p_actor text, OUT outcome text, OUT job_id uuid, OUT job_state text, OUT received_at timestamp with time zone)
grant asbuilt_worker: execute on account_changed()
grant asbuilt_worker: execute on account_closed(a portal_account)
grant asbuilt_worker: execute on account_facts(a portal_account)
grant asbuilt_worker: execute on account_stamp()
grant asbuilt_worker: execute on actor()
grant asbuilt_worker: execute on actor_kind(p_actor text)
grant asbuilt_worker: execute on add_defects(p_record uuid, p_revision integer, p_defects jsonb)
grant asbuilt_worker: execute on admit(p_job uuid)
grant asbuilt_worker: execute on alike_photos(p photo)
grant asbuilt_worker: execute on app_queue_abort()
grant asbuilt_worker: execute on app_queue_again()
grant asbuilt_worker: execute on app_queue_attempts()
grant asbuilt_worker: execute on app_queue_back()
grant asbuilt_worker: execute on app_queue_cancel()
grant asbuilt_worker: execute on app_queue_deleted()
grant asbuilt_worker: execute on app_queue_ended()
grant asbuilt_worker: execute on app_queue_events()
grant asbuilt_worker: execute on app_queue_plan()
grant asbuilt_worker: execute on app_queue_wake()
grant asbuilt_worker: insert, select, update on artifact
grant asbuilt_worker: select, update on asbuilt_record
grant asbuilt_worker: execute on attach_run(p_job uuid, p_attempt integer, p_generation integer, p_run_id text, p_last_seq integer)
grant asbuilt_worker: execute on attempt_view(a automation_attempt)
grant asbuilt_worker: insert on audit_event
grant asbuilt_worker: insert, select, update on automation_attempt
grant asbuilt_worker: insert, select, update on automation_input
grant asbuilt_worker: select, update on automation_job
grant asbuilt_worker: insert, select, update on automation_run
grant asbuilt_worker: delete, insert, select, update on automation_step
grant asbuilt_worker: delete, insert, select, update (type) on blob
grant asbuilt_worker: execute on carries(q procrastinate_jobs, p_job uuid)
grant asbuilt_worker: execute on claim_attempt(p_job uuid, p_queue_job bigint, p_worker text, p_lease_s double precision)
grant asbuilt_worker: execute on clear_rejections(p_job uuid)
grant asbuilt_worker: execute on close_attempt(p_job uuid, p_attempt integer, p_outcome text, p_error jsonb)
grant asbuilt_worker: execute on compare_photos(p_most integer)
grant asbuilt_worker: execute on confirm_submission(p_job uuid, p_attempt integer, p_confirmation text, p_how text)
grant asbuilt_worker: execute on correct_record(p_project uuid, p_device uuid, p_expected integer, p_record jsonb, p_photos jsonb, p_defects jsonb, p_fingerprint bytea, p_actor text, OUT outcome text)
grant asbuilt_worker: execute on count_due(p_what text, p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_worker: insert, select, update on defect
grant asbuilt_worker: execute on defer_checks(p_record uuid)
grant asbuilt_worker: select on design_asset
grant asbuilt_worker: select (id), select (project_id) on device
grant asbuilt_worker: execute on doctor_attempts(p_grace_s double precision)
grant asbuilt_worker: execute on doctor_events()
grant asbuilt_worker: execute on doctor_jobs(p_grace_s double precision)
grant asbuilt_worker: execute on doctor_lines()
grant asbuilt_worker: execute on doctor_queue(p_grace_s double precision)
grant asbuilt_worker: execute on doctor_records()
grant asbuilt_worker: execute on doctor_slots(p_grace_s double precision)
grant asbuilt_worker: execute on doctor_submissions()
grant asbuilt_worker: execute on due_attempts(p_what text, p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_worker: execute on due_queue_rows(p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_worker: execute on end_waiting(job automation_job, p_code text, p_message text)
grant asbuilt_worker: execute on expire_inputs()
grant asbuilt_worker: execute on external_ref(p_record uuid, p_try integer)
grant asbuilt_worker: execute on failure_fingerprint(p_step text, p_code text, p_message text)
grant asbuilt_worker: execute on failure_shape(p_message text)
grant asbuilt_worker: select on form_def
grant asbuilt_worker: execute on free_slot(p_job uuid)
grant asbuilt_worker: execute on hold_commit(p_job uuid, p_attempt integer, p_hold_s double precision)
grant asbuilt_worker: execute on hold_job(job automation_job, p_reason text)
grant asbuilt_worker: execute on in_sight(p_project uuid)
grant asbuilt_worker: execute on input_end()
grant asbuilt_worker: execute on input_view(i automation_input)
grant asbuilt_worker: execute on interrupt(job automation_job, p_progressed boolean)
grant asbuilt_worker: insert on job_event
grant asbuilt_worker: execute on job_guard()
grant asbuilt_worker: execute on job_since(j automation_job)
grant asbuilt_worker: execute on job_slot()
grant asbuilt_worker: execute on job_stamp()
grant asbuilt_worker: execute on job_tell()
grant asbuilt_worker: execute on job_view(j automation_job)
grant asbuilt_worker: execute on keep_blob(p_sha256 bytea, p_size bigint, p_type text)
grant asbuilt_worker: execute on known_accounts(p_portal text, p_account text)
grant asbuilt_worker: execute on known_job(p_job uuid)
grant asbuilt_worker: execute on lock_job(p_job uuid)
grant asbuilt_worker: execute on media_due(p_form text, p_version integer)
grant asbuilt_worker: execute on near_photos(p photo, p_bits integer)
grant asbuilt_worker: execute on next_waiters(p_account uuid, p_room bigint)
grant asbuilt_worker: execute on note_edit(job automation_job, p_action text, p_reason text, p_before jsonb)
grant asbuilt_worker: execute on note_retention(p_what text, p_outcome text, p_removed integer, p_ms double precision)
grant asbuilt_worker: execute on nth_ref(p_reference text, p_times integer)
grant asbuilt_worker: select, update on photo
grant asbuilt_worker: execute on photo_elsewhere(p_sha256 bytea, p_project uuid, p_besides uuid[])
grant asbuilt_worker: execute on place_of(p_state text, p_wait_reason text)
grant asbuilt_worker: execute on plain_facts(p_facts jsonb)
grant asbuilt_worker: select on portal
grant asbuilt_worker: select, update on portal_account
grant asbuilt_worker: execute on portal_answered(p_account uuid)
grant asbuilt_worker: delete, insert, select, update on portal_slot
grant asbuilt_worker: insert, select, update on portal_submission
grant asbuilt_worker: execute on portal_trouble(p_account uuid, p_error jsonb)
grant asbuilt_worker: execute on portal_wide(p_code text, p_class text)
grant asbuilt_worker: delete, insert, select, update on procrastinate_events
grant asbuilt_worker: delete, insert, select, update on procrastinate_jobs
grant asbuilt_worker: delete, insert, select, update on procrastinate_periodic_defers
grant asbuilt_worker: delete, insert, select, update on procrastinate_workers
grant asbuilt_worker: select on project
grant asbuilt_worker: execute on promote(p_account uuid)
grant asbuilt_worker: execute on promote_due()
grant asbuilt_worker: execute on promote_probes()
grant asbuilt_worker: execute on queue_checks(p_record uuid)
grant asbuilt_worker: execute on queue_defer(p_job uuid, p_queue text, p_first boolean)
grant asbuilt_worker: execute on queue_move(p_queue_job bigint)
grant asbuilt_worker: execute on recheck_slot(job automation_job)
grant asbuilt_worker: execute on reconcile(p_grace_s double precision)
grant asbuilt_worker: execute on reconcile_checks(p_grace_s double precision)
grant asbuilt_worker: execute on reconcile_lost()
grant asbuilt_worker: execute on reconcile_overdue(p_now timestamp with time zone)
grant asbuilt_worker: execute on reconcile_rowless()
grant asbuilt_worker: execute on reconcile_slots()
grant asbuilt_worker: execute on reconcile_strays(p_grace_s double precision)
grant asbuilt_worker: execute on reconcile_unclaimed(p_grace_s double precision)
grant asbuilt_worker: execute on reconcile_unfinished(p_grace_s double precision)
grant asbuilt_worker: delete, insert, select, update on record_check
grant asbuilt_worker: execute on record_intent(p_job uuid, p_attempt integer)
grant asbuilt_worker: delete, insert, select, update on record_line
grant asbuilt_worker: execute on record_line_defects()
grant asbuilt_worker: execute on record_line_facts(p_record uuid, OUT job_state text, OUT portal_key text, OUT severity text)
grant asbuilt_worker: execute on record_line_jobs()
grant asbuilt_worker: execute on record_line_records()
grant asbuilt_worker: execute on record_line_text(r asbuilt_record)
grant asbuilt_worker: execute on record_lines(p_projects uuid[], p_filter jsonb)
grant asbuilt_worker: execute on record_needs(p_record uuid)
grant asbuilt_worker: select on record_revision
grant asbuilt_worker: select on record_serial
grant asbuilt_worker: execute on record_tell()
grant asbuilt_worker: execute on record_version()
grant asbuilt_worker: execute on refute_intent(p_job uuid, p_attempt integer, p_evidence jsonb)
grant asbuilt_worker: execute on release_blobs(p_sha256 bytea[], p_older_s double precision)
grant asbuilt_worker: execute on remove_audit(p_border timestamp with time zone, p_most integer)
grant asbuilt_worker: execute on remove_logs(p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_worker: execute on remove_pictures(p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_worker: execute on remove_queue_rows(p_outcome text, p_border timestamp with time zone, p_most integer)
grant asbuilt_worker: execute on remove_secrets(p_what text, p_border timestamp with time zone, p_most integer)
grant asbuilt_worker: execute on report_rejection(p_job uuid, p_attempt integer, p_findings jsonb)
grant asbuilt_worker: execute on reserve_start(p_job uuid, p_attempt integer)
grant asbuilt_worker: execute on restate_waiters(a portal_account)
grant asbuilt_worker: execute on resume_job(job automation_job)
grant asbuilt_worker: execute on retain(p_what text, p_outcome text, p_begins boolean, p_batch integer, OUT removed integer, OUT took_ms double precision, OUT more boolean, OUT next_batch integer)
grant asbuilt_worker: select on retention
grant asbuilt_worker: execute on retention_changed()
grant asbuilt_worker: execute on review_needs(p_record uuid)
grant asbuilt_worker: execute on review_view(r asbuilt_record)
grant asbuilt_worker: execute on revise_defects(p_record uuid, p_revision integer, p_defects jsonb)
grant asbuilt_worker: execute on revision_content(r asbuilt_record)
grant asbuilt_worker: execute on said_why(p_reason text)
grant asbuilt_worker: select on schema_migration
grant asbuilt_worker: execute on sees_people()
grant asbuilt_worker: execute on set_serials(p_project uuid, p_record uuid, p_serials jsonb)
grant asbuilt_worker: execute on settle_absent(p_job uuid, p_attempt integer, p_as_of timestamp with time zone)
grant asbuilt_worker: execute on settle_asked(p_job uuid, p_attempt integer, p_question jsonb, p_error jsonb)
grant asbuilt_worker: execute on settle_cancelled(p_job uuid, p_attempt integer)
grant asbuilt_worker: execute on settle_check(p_record uuid, p_photo jsonb, p_defects jsonb)
grant asbuilt_worker: execute on settle_completed(p_job uuid, p_attempt integer, p_confirmation text, p_how text, p_portal_url text)
grant asbuilt_worker: execute on settle_detached(p_job uuid, p_attempt integer)
grant asbuilt_worker: execute on settle_failed(p_job uuid, p_attempt integer, p_error jsonb, p_again boolean, p_spends text, p_run_over boolean, p_base_s double precision, p_wait_s double precision)
grant asbuilt_worker: execute on settle_parked(p_job uuid, p_attempt integer, p_wait_reason text, p_error jsonb)
grant asbuilt_worker: execute on settle_verifying(p_job uuid, p_attempt integer, p_error jsonb, p_spends text, p_run_over boolean, p_blind boolean, p_look_s double precision, p_verify_s double precision)
grant asbuilt_worker: execute on size_slots(a portal_account)
grant asbuilt_worker: execute on state_waiting(p_reason text)
grant asbuilt_worker: execute on take_slot(p_account uuid, p_job uuid)
grant asbuilt_worker: execute on try_lock_job(p_job uuid)
grant asbuilt_worker: delete, insert, select, update on turn
grant asbuilt_worker: execute on under_way(job automation_job)
grant asbuilt_worker: execute on uuid7()
grant asbuilt_worker: execute on why_given(p_reason text)
grant asbuilt_worker: delete, insert, select, update on worker
