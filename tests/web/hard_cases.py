"""The hard cases of uploads and the bad inputs, by their rows, and the tests that hold each of them.

`FILE::TEST`, from the folder of tests; parametrised tests stand for all of their cases.
"""

from __future__ import annotations

REPLAYS, BODIES = "web/test_hostile_replays.py", "web/test_hostile_bodies.py"
MULTIPART, JSON = "web/test_hostile_multipart.py", "web/test_hostile_json.py"
UPLOAD, STRANGERS = "web/test_upload.py", "web/test_hostile_strangers.py"
ADDRESSES = "web/test_hostile_addresses.py"
MEMORY = "web/test_hostile_memory.py::test_it_stays_small_and_answers_the_next_one"

HARD_CASES: dict[int, tuple[str, ...]] = {
    1: (f"{UPLOAD}::test_the_same_again_is_a_replay",),
    2: (
        f"{UPLOAD}::test_sixteen_at_once_are_one_record",
        f"{REPLAYS}::test_sixteen_packages_at_once_are_one",
        "faults/test_api.py::test_twenty_at_once_are_one_record",
    ),
    3: (
        f"{REPLAYS}::test_another_content_is_told_which_one_is_stored_and_changes_nothing",
        f"{REPLAYS}::test_another_device_is_told_nothing_of_what_is_stored",
    ),
    4: (
        f"{REPLAYS}::test_the_same_in_another_wrapping_is_the_same",
        "unit/test_fingerprint.py::test_spelling_order_and_time_of_sending_do_not_count",
    ),
    5: ("worker/test_hardening_uploads.py::test_an_upload_cut_off_anywhere_is_one_record_in_the_end",),
    6: (
        "worker/test_hardening_uploads.py::test_an_upload_cut_off_before_its_commit_is_sent_again",
        "faults/test_api.py::test_an_upload_cut_off_anywhere_is_one_upload_when_it_is_sent_again",
    ),
    7: (f"{BODIES}::test_a_connection_cut_at_any_64_kb_leaves_nothing_and_wakes_nobody",),
    8: (
        "web/test_tus_clients.py::test_tus_js_client",
        "web/test_tus_clients.py::test_tuspy",
        "web/test_tus_clients.py::test_uppy_in_chromium",
    ),
    9: (
        f"{UPLOAD}::test_photos_may_follow_in_any_order_and_the_last_one_queues_the_job",
        f"{UPLOAD}::test_two_last_photos_at_once_queue_the_job_once",
    ),
    10: (
        f"{UPLOAD}::test_other_bytes_under_a_stored_name_are_a_conflict",
        f"{REPLAYS}::test_the_first_bytes_under_a_name_are_kept",
    ),
    11: (
        f"{REPLAYS}::test_damaged_bytes_are_not_stored",
        f"{REPLAYS}::test_bytes_that_the_record_did_not_announce_are_damaged",
        f"{REPLAYS}::test_a_digest_that_is_none_is_malformed",
    ),
    12: (f"{BODIES}::test_a_length_over_the_limit_is_refused_before_the_body",),
    13: (
        f"{BODIES}::test_chunks_over_the_limit_are_read_on_so_that_the_answer_is",
        f"{BODIES}::test_a_photo_over_the_limit_leaves_no_file",
        f"{BODIES}::test_nobody_is_listened_to_for_ever",
    ),
    14: (
        f"{JSON}::test_it_is_malformed_and_stores_nothing",
        "unit/test_decode.py::test_malformed_json_is_refused_at_once_with_its_place",
    ),
    15: (f"{JSON}::test_a_bom_a_charset_and_unknown_members_are_no_fault",),
    16: (
        f"{MULTIPART}::test_it_is_malformed_and_stores_nothing",
        f"{MULTIPART}::test_too_many_parts_are_told_how_many_are_allowed",
    ),
    17: (
        f"{MULTIPART}::test_a_photo_is_found_by_the_name_that_the_record_gave_it",
        f"{MULTIPART}::test_a_record_may_not_list_such_a_name",
        f"{MULTIPART}::test_a_part_of_such_a_name_is_no_photo_of_the_record",
        f"{MULTIPART}::test_a_name_of_another_script_is_one_name_however_it_is_composed",
        f"{MULTIPART}::test_twins_by_case_conflict",
    ),
    18: (
        f"{REPLAYS}::test_what_is_no_photo_costs_the_photo_and_not_the_record",
        f"{REPLAYS}::test_what_is_no_photo_is_refused_alone",
    ),
    19: (f"{REPLAYS}::test_a_photo_that_is_a_page_as_well_is_a_photo",),
    20: (
        f"{REPLAYS}::test_half_a_photo_is_kept_and_found_unreadable",
        f"{REPLAYS}::test_what_is_no_photo_costs_the_photo_and_not_the_record",
        f"{REPLAYS}::test_exif_that_leads_in_circles_is_left_at_that",
        "unit/test_photos.py::test_zero_over_zero_rationals_are_absent",
        MEMORY,
    ),
    21: (
        "web/test_deferred_checks.py::test_a_heic_with_a_thumbnail_is_judged_at_once",
        "web/test_deferred_checks.py::test_the_last_check_lets_the_job_go_on",
        "worker/test_checks.py::test_the_portal_gets_a_jpeg_of_a_heic_photo_which_stays_as_it_was_taken",
    ),
    22: (
        f"{JSON}::test_a_position_that_is_none_is_kept_raw_and_found_missing",
        f"{JSON}::test_an_accuracy_that_is_none_costs_the_accuracy_alone",
        f"{JSON}::test_a_position_of_nan_is_no_json",
    ),
    23: (
        f"{REPLAYS}::test_forms_and_projects_that_take_no_more",
        f"{REPLAYS}::test_a_form_of_each_state",
        f"{UPLOAD}::test_a_device_of_another_project_sees_nothing",
    ),
    24: (f"{REPLAYS}::test_a_deleted_record_stays_deleted",),
    25: (
        "web/test_health.py::test_a_dead_database_makes_it_unready_and_uploads_say_so",
        "web/test_upload_transaction.py::test_a_connection_that_dies_in_the_transaction_leaves_nothing",
        "faults/test_postgres.py::test_postgres_restarts_lose_nothing_and_wake_everybody_again",
        "faults/test_postgres.py::test_a_frozen_postgres_is_answered_for",
        "faults/test_postgres.py::test_many_uploads_beside_held_locks_are_shed_and_not_stuck",
    ),
    26: (
        "web/test_health.py::test_a_dead_redis_is_said_and_stops_nothing",
        "web/test_jobs.py::test_without_the_cache_the_checkpoint_is_shown",
    ),
    27: ("faults/test_disk.py::test_a_disk_full_in_the_middle_of_an_upload",),
    28: (
        "web/test_idempotency_key.py::test_a_key_stands_for_one_content",
        "web/test_idempotency_key.py::test_a_key_that_is_none_is_refused_before_the_body_is_stored",
    ),
    29: tuple(
        f"web/test_tus.py::{test}"
        for test in (
            "test_another_version_is_refused_by_every_method",
            "test_a_patch_that_does_not_fit_changes_nothing",
            "test_what_cannot_be_begun_leaves_nothing",
            "test_an_upload_that_was_given_up_is_gone",
            "test_post_stands_for_the_other_methods",
        )
    ),
    30: (
        "web/test_jobs.py::test_other_states_cannot_be_retried",
        "web/test_jobs.py::test_two_retries_at_once_are_one",
    ),
    31: ("web/test_review.py::test_of_two_reviewers_at_once_one_decides",),
}

MALFORMED_JSON = f"{JSON}::test_it_is_malformed_and_stores_nothing"
MALFORMED_MULTIPART = f"{MULTIPART}::test_it_is_malformed_and_stores_nothing"
NO_PHOTO = (
    f"{REPLAYS}::test_what_is_no_photo_costs_the_photo_and_not_the_record",
    f"{REPLAYS}::test_what_is_no_photo_is_refused_alone",
)

BAD_INPUTS: dict[int, tuple[str, ...]] = {
    1: (
        f"{UPLOAD}::test_without_a_good_token_nothing_is_said",
        f"{STRANGERS}::test_no_bad_token_is_told_what_is_bad_about_it",
        "web/test_sessions.py::test_no_address_but_the_public_ones_answers_a_stranger",
    ),
    2: (
        f"{STRANGERS}::test_what_is_anothers_is_answered_as_what_is_not_there",
        "web/test_live_rights.py::test_foreign_and_missing_things_are_not_there",
        "web/test_portals.py::test_who_may_not",
    ),
    3: (
        f"{UPLOAD}::test_a_reading_token_may_not_upload",
        "web/test_jobs.py::test_a_viewer_may_look_and_not_retry",
    ),
    4: (f"{UPLOAD}::test_a_device_of_another_project_sees_nothing",),
    5: (
        "web/test_sessions.py::test_a_form_cannot_pass_for_json",
        f"{JSON}::test_json_under_another_name_is_refused",
    ),
    6: ("web/test_sessions.py::test_a_page_of_another_site_changes_nothing",),
    7: (f"{STRANGERS}::test_another_site_is_not_told_that_it_may",),
    8: (MALFORMED_MULTIPART,),
    9: (MALFORMED_JSON, MALFORMED_MULTIPART),
    10: (MALFORMED_JSON,),
    11: (MALFORMED_JSON, f"{JSON}::test_it_is_too_large_and_says_how_much_is_allowed"),
    12: (MALFORMED_JSON,),
    13: (MALFORMED_JSON, f"{JSON}::test_what_is_merely_odd_is_stored_to_the_letter"),
    14: (f"{MULTIPART}::test_a_photo_is_found_by_the_name_that_the_record_gave_it",),
    15: NO_PHOTO,
    16: (*NO_PHOTO, MEMORY),
    17: (*NO_PHOTO, MEMORY),
    18: (*NO_PHOTO, f"{REPLAYS}::test_half_a_photo_is_kept_and_found_unreadable"),
    19: (
        MALFORMED_MULTIPART,
        f"{MULTIPART}::test_too_many_parts_are_told_how_many_are_allowed",
        f"{MULTIPART}::test_a_photo_sent_twice_in_one_body_is_malformed",
    ),
    20: (
        f"{BODIES}::test_a_length_over_the_limit_is_refused_before_the_body",
        f"{BODIES}::test_a_length_that_is_no_number_of_bytes",
        f"{BODIES}::test_a_length_that_is_short_cuts_the_body_there",
        f"{BODIES}::test_chunks_over_the_limit_are_read_on_so_that_the_answer_is",
    ),
    21: (f"{BODIES}::test_a_compressed_body_is_not_unpacked",),
    22: ("web/test_protocol.py::test_it_is_answered_400_and_the_line_is_cut",),
    23: (
        "web/test_limits.py::test_who_only_holds_the_line_is_let_go",
        "web/test_dribblers.py::test_a_thousand_that_hold_their_lines_cost_the_others_nothing",
    ),
    24: ("browser/test_hostile_text.py::test_hostile_text_is_shown_and_never_run",),
    25: (f"{STRANGERS}::test_nothing_sent_writes_a_line_of_its_own_into_the_log",),
    26: tuple(
        f"e2e/{test}"
        for test in (
            "test_canary.py::test_a_password_is_typed_into_the_portal_and_written_nowhere",
            "test_canary.py::test_a_run_that_fails_over_its_password_does_not_say_it",
            "test_canary.py::test_an_answer_goes_from_the_desk_to_the_run_and_is_written_nowhere",
            "test_canary.py::test_the_search_finds_what_is_there",
            "test_database_password.py::test_a_wrong_password_of_the_database_is_said_without_saying_it",
        )
    ),
    27: (
        f"{ADDRESSES}::test_an_address_in_a_record_is_text",
        f"{ADDRESSES}::test_a_form_refers_to_itself_only",
        "worker/test_runner_drivers.py::test_an_address_in_a_field_is_keyed_and_not_visited",
        "worker/test_runner_drivers.py::test_photos_are_fetched_with_the_token_and_checked",
        "worker/test_runner_manners.py::test_credentials_are_not_typed_where_a_redirect_leads",
    ),
    28: (f"{ADDRESSES}::test_nobody_can_call_back",),
    29: (
        "web/test_lists.py::test_what_is_searched_for_is_only_ever_text",
        "web/test_lists.py::test_a_filter_that_is_none_is_malformed",
    ),
    30: ("web/test_jobs.py::test_a_bad_page_is_refused", "web/test_lists.py::test_a_filter_that_is_none_is_malformed"),
    31: (
        "web/test_live_rights.py::test_streams_are_counted",
        "browser/test_dashboard.py::test_elements_with_a_token_follow_by_themselves_and_no_secret_is_logged_or_leaves_in_an_address",
    ),
    32: ("web/test_live_rights.py::test_a_revoked_token_ends_its_streams",),
    33: (
        "sql/test_roles.py::test_each_role_is_refused_what_is_not_its_own",
        "sql/test_roles.py::test_people_at_psql_see_the_views_and_no_table_of_ours",
    ),
    34: ("web/test_limits.py::test_wrong_secrets_are_counted_for_each_address",),
}

OPEN: dict[str, str] = {}
"""Rows that no test holds, with what has to be built before one can. A row that gets its test leaves."""
