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
table $1: $2 $3$4$5
table $1: $2 $3$4$5
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
table $6: constraint $7 $8
CREATE INDEX automation_attempt_open ON public.automation_attempt USING btree (lease_until) WHERE (ended_at IS NULL)
CREATE INDEX automation_attempt_queue_row ON public.automation_attempt USING btree (queue_job_id)
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
CREATE TRIGGER app_queue_abort BEFORE UPDATE OF abort_requested ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status = 'doing'::procrastinate_job_status) AND (new.status = 'doing'::procrastinate_job_status) AND new.abort_requested AND (NOT old.abort_requested))) EXECUTE FUNCTION app_queue_abort()
CREATE TRIGGER app_queue_again BEFORE UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status <> ALL (ARRAY['todo'::procrastinate_job_status, 'doing'::procrastinate_job_status])) AND (new.status = ANY (ARRAY['todo'::procrastinate_job_status, 'doing'::procrastinate_job_status])))) EXECUTE FUNCTION app_queue_again()
CREATE TRIGGER app_queue_attempts AFTER UPDATE OF attempts ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (new.status = old.status) AND (new.attempts <> old.attempts))) EXECUTE FUNCTION app_queue_attempts()
CREATE TRIGGER app_queue_back BEFORE UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status = 'doing'::procrastinate_job_status) AND (new.status = 'todo'::procrastinate_job_status))) EXECUTE FUNCTION app_queue_back()
CREATE TRIGGER app_queue_cancel AFTER UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status = 'todo'::procrastinate_job_status) AND (new.status = 'cancelled'::procrastinate_job_status))) EXECUTE FUNCTION app_queue_cancel()
CREATE TRIGGER app_queue_deleted AFTER DELETE ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status = ANY (ARRAY['todo'::procrastinate_job_status, 'doing'::procrastinate_job_status])))) EXECUTE FUNCTION app_queue_deleted()
CREATE TRIGGER app_queue_ended AFTER UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status = ANY (ARRAY['todo'::procrastinate_job_status, 'doing'::procrastinate_job_status])) AND (new.status = ANY (ARRAY['succeeded'::procrastinate_job_status, 'failed'::procrastinate_job_status, 'aborted'::procrastinate_job_status])) AND (new.attempts = old.attempts))) EXECUTE FUNCTION app_queue_ended()
CREATE TRIGGER app_queue_plan BEFORE UPDATE OF queue_name, scheduled_at ON public.procrastinate_jobs FOR EACH ROW WHEN ((((old.task_name)::text = 'automation'::text) AND (old.status = 'todo'::procrastinate_job_status) AND (new.status = 'todo'::procrastinate_job_status) AND (((new.queue_name)::text <> (old.queue_name)::text) OR (new.scheduled_at IS DISTINCT FROM old.scheduled_at)))) EXECUTE FUNCTION app_queue_plan()
CREATE TRIGGER app_queue_truncated BEFORE TRUNCATE ON public.procrastinate_jobs FOR EACH STATEMENT EXECUTE FUNCTION app_queue_deleted()
CREATE TRIGGER app_queue_wake AFTER UPDATE OF status, queue_name, scheduled_at ON public.procrastinate_jobs FOR EACH ROW WHEN (((new.status = 'todo'::procrastinate_job_status) AND ((new.scheduled_at IS NULL) OR (new.scheduled_at <= clock_timestamp())) AND ((old.status <> 'todo'::procrastinate_job_status) OR ((new.queue_name)::text <> (old.queue_name)::text) OR (new.scheduled_at IS DISTINCT FROM old.scheduled_at)))) EXECUTE FUNCTION app_queue_wake()
CREATE TRIGGER job_guard BEFORE UPDATE OF state ON public.automation_job FOR EACH ROW WHEN ((new.state <> old.state)) EXECUTE FUNCTION job_guard()
CREATE TRIGGER job_stamp BEFORE INSERT OR UPDATE ON public.automation_job FOR EACH ROW EXECUTE FUNCTION job_stamp()
CREATE TRIGGER job_tell AFTER INSERT OR UPDATE ON public.automation_job FOR EACH ROW EXECUTE FUNCTION job_tell()
