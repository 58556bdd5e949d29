-- What all migrations, functions and views make together. Never applied; compared by a test.
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX access_token_device ON public.access_token USING btree (device_id)
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX artifact_blob ON public.artifact USING btree (blob_sha256)
CREATE INDEX artifact_job ON public.artifact USING btree (job_id, attempt, created_at)
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX asbuilt_record_asset ON public.asbuilt_record USING btree (project_id, asset_key)
CREATE INDEX asbuilt_record_awaiting ON public.asbuilt_record USING btree (received_at) WHERE (media_state = 'awaiting'::text)
CREATE INDEX asbuilt_record_device ON public.asbuilt_record USING btree (device_id, received_at DESC)
CREATE INDEX asbuilt_record_list ON public.asbuilt_record USING btree (project_id, received_at DESC, id DESC) WHERE (deleted_at IS NULL)
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
CREATE INDEX audit_event_job ON public.audit_event USING btree (job_id, id)
CREATE INDEX audit_event_record ON public.audit_event USING btree (record_id, id)
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX automation_attempt_open ON public.automation_attempt USING btree (lease_until) WHERE (ended_at IS NULL)
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX automation_job_changed ON public.automation_job USING btree (changed_xid)
CREATE INDEX automation_job_due ON public.automation_job USING btree (ready_at) WHERE (state = 'retrying'::text)
CREATE INDEX automation_job_finished ON public.automation_job USING btree (project_id, finished_at) WHERE (state = 'completed'::text)
CREATE INDEX automation_job_open ON public.automation_job USING btree (project_id, state) WHERE (state <> ALL (ARRAY['completed'::text, 'cancelled'::text]))
CREATE INDEX automation_job_project ON public.automation_job USING btree (project_id, created_at DESC, id DESC)
CREATE INDEX automation_job_record ON public.automation_job USING btree (record_id, created_at DESC)
CREATE UNIQUE INDEX automation_job_live ON public.automation_job USING btree (record_id) WHERE (state <> ALL (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text]))
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX defect_open ON public.defect USING btree (record_id, severity) WHERE (status = 'open'::text)
CREATE UNIQUE INDEX defect_once ON public.defect USING btree (record_id, revision, rule, COALESCE(field, ''::text), COALESCE(photo, ''::text))
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX device_project ON public.device USING btree (project_id)
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX membership_project ON public.membership USING btree (project_id)
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX photo_blob ON public.photo USING btree (blob_sha256)
CREATE UNIQUE INDEX photo_name_twins ON public.photo USING btree (record_id, lower(name))
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX portal_submission_job ON public.portal_submission USING btree (job_id)
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX project_portal_account ON public.project USING btree (portal_account_id)
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX user_session_user ON public.user_session USING btree (user_id)
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
view $9.$10: $11 $12
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
function $13.$14($15) returns $16
CREATE TRIGGER job_stamp BEFORE INSERT OR UPDATE ON public.automation_job FOR EACH ROW EXECUTE FUNCTION job_stamp()
CREATE TRIGGER job_tell AFTER INSERT OR UPDATE ON public.automation_job FOR EACH ROW EXECUTE FUNCTION job_tell()
