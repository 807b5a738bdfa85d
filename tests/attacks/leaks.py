"""Every way by which a store that shows a part can tell of the rest, and the tests that prove it does not.

A name that stands here is a leak that filtered stores have had; a surface that is not served yet is named by what
its routes would be called, so that serving it without a test fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class NotServed:
    """A surface that does not exist: no route's template, and no operation, holds this word."""

    word: str


_READ: Final = "attacks/test_read_leaks.py::"
_SEARCH: Final = "attacks/test_search_leaks.py::"
_LINK: Final = "attacks/test_link_leaks.py::"
_WRITE: Final = "attacks/test_write_leaks.py::"
_OPERATION: Final = "attacks/test_operation_leaks.py::"
_HISTORY: Final = "attacks/test_history_leaks.py::"
_DOCUMENT: Final = "attacks/test_document_leaks.py::"
_LOG: Final = "attacks/test_log_leaks.py::"
_WORK: Final = "attacks/test_equal_work_leak.py::"
_AROUND: Final = "attacks/test_writing_around_consent.py::"
_SHARING: Final = "attacks/test_sharing_leaks.py::"

LEAKS: Final[Mapping[str, tuple[str, ...] | NotServed]] = MappingProxyType(
    {
        "counts": (_SEARCH + "test_counts_are_counts_of_what_is_permitted",),
        "estimates": (_SEARCH + "test_there_are_no_estimates",),
        "short or empty pages": (
            _SEARCH + "test_a_walk_one_by_one_has_neither_short_nor_empty_pages_nor_gaps",
            _OPERATION + "test_a_walk_through_everything_has_neither_short_nor_empty_pages",
            _HISTORY + "test_a_history_has_neither_gaps_nor_short_pages_where_something_is_hidden",
        ),
        "replayed cursors: other caller": (
            _SEARCH + "test_a_cursor_of_one_who_sees_more_opens_for_nobody_else",
            _LINK + "test_a_cursor_of_an_order_by_elements_is_its_callers_alone",
        ),
        "replayed cursors: other purpose": (
            "http/test_fhir_paging.py::test_a_cursor_opens_for_its_caller_purpose_and_question_alone",
        ),
        "replayed cursors: after a revocation": (
            _SEARCH + "test_a_cursor_shows_nothing_after_the_withdrawal",
            _OPERATION + "test_everything_shows_nothing_after_the_withdrawal",
        ),
        "what a cursor says": (_SEARCH + "test_cursors_give_no_place_among_hidden_records_away",),
        "gaps in _sort": (
            _SEARCH + "test_a_walk_one_by_one_has_neither_short_nor_empty_pages_nor_gaps",
            _SEARCH + "test_a_walk_by_id_shows_what_is_permitted_and_ends",
        ),
        "several types at once": (
            _SEARCH + "test_several_types_at_once_tell_nothing_of_what_is_hidden",
            "http/test_fhir_search_across.py::test_what_was_withdrawn_between_two_pages_is_not_on_the_second",
        ),
        "_has": (_LINK + "test_a_denied_record_gives_nothing_to_have",),
        "chained parameters through a denied resource": (
            _LINK + "test_a_chain_through_a_denied_record_leads_nowhere",
        ),
        "_include": (_LINK + "test_a_denied_record_never_comes_along",),
        "_include:iterate": (_LINK + "test_going_on_does_not_lead_through_a_denied_record",),
        "_revinclude": (_LINK + "test_a_denied_record_never_comes_along",),
        "negation": (_SEARCH + "test_whatever_is_asked_hidden_records_change_nothing",),
        "read of a denied id versus an unknown one": (_READ + "test_a_denied_id_reads_like_an_unknown_one",),
        "410 versus 404": (_READ + "test_a_denied_record_that_was_deleted_is_not_gone_but_unknown",),
        "history and vread of a version that was visible once": (
            _READ + "test_a_version_that_was_visible_once_is_unknown_when_the_record_is_not_visible",
            _READ + "test_a_version_of_before_a_withdrawal_is_unknown_after_it",
            _HISTORY + "test_a_version_that_was_hidden_stays_hidden_when_the_record_is_shown",
        ),
        "If-None-Match on a denied record": (
            _READ + "test_a_condition_on_a_denied_record_is_answered_404_never_304",
        ),
        "If-None-Exist": (_WRITE + "test_a_conditional_creation_matches_what_its_caller_may_read",),
        "conditional update and delete": (
            _WRITE + "test_conditional_changes_match_what_their_caller_may_read",
        ),
        "uniqueness errors": (_WRITE + "test_an_identifier_that_a_denied_record_has_is_no_conflict",),
        "JSON Patch test on hidden data": (
            _WRITE + "test_a_test_in_a_patch_of_a_denied_record_tells_nothing_of_it",
        ),
        "PUT to a denied id": (_WRITE + "test_a_put_to_a_denied_id_is_one_to_an_unknown_id",),
        "batch statuses": (_WRITE + "test_an_entry_about_a_denied_record_is_one_about_an_unknown_record",),
        "transaction rollback": (
            _WRITE + "test_what_a_bundle_refuses_does_not_depend_on_what_is_hidden",
            "http/test_fhir_transactions.py::"
            "test_a_conditional_reference_to_what_the_caller_may_not_read_matches_nothing",
        ),
        "whose file an import is": (
            "attacks/test_import_leaks.py::"
            "test_a_source_that_may_only_write_learns_no_birth_date_and_no_name",
        ),
        "error texts": (_WRITE + "test_a_refused_write_tells_nothing_of_the_consents_behind_it",),
        "$everything": (_OPERATION + "test_everything_is_the_same_with_and_without_hidden_records",),
        "$lastn": (
            _OPERATION + "test_the_last_are_the_same_with_and_without_hidden_records",
            _OPERATION + "test_a_hidden_reading_neither_hides_an_older_one_nor_links_two_kinds",
        ),
        "$meta": (_OPERATION + "test_metadata_in_use_are_the_same_with_and_without_hidden_records",),
        "$summary": (_OPERATION + "test_a_section_of_hidden_records_is_a_section_without_records",),
        "_since": (_HISTORY + "test_an_instant_at_which_only_hidden_records_were_written_shows_nothing",),
        "contained resources": (
            _SEARCH + "test_a_contained_record_does_not_make_its_container_findable",
            _DOCUMENT + "test_a_container_of_a_hidden_record_is_unknown",
        ),
        "stored Bundles": (
            _SEARCH + "test_a_stored_bundle_with_one_denied_entry_is_not_found",
            _DOCUMENT + "test_a_document_with_one_denied_entry_is_unknown",
        ),
        "stored Compositions": (
            _DOCUMENT + "test_a_composition_is_shown_as_stored_and_opens_nothing_that_it_names",
        ),
        "subscription payloads and event counters": NotServed("$events"),
        "deliveries after a revocation": NotServed("$status"),
        "AuditEvent query strings": (
            _LOG + "test_a_query_that_names_two_residents_tells_neither_of_the_other",
            _READ + "test_the_log_shows_a_caller_nothing_of_others_requests",
        ),
        "Provenance targets": (
            _SEARCH + "test_a_provenance_does_not_tell_of_a_denied_target",
            _AROUND + "test_a_provenance_tells_nothing_of_records_out_of_sight",
        ),
        "the Consent that names what is hidden": (
            _READ + "test_a_consent_that_names_what_is_hidden_is_shown_only_where_it_was_shared",
        ),
        "export file counts": NotServed("$export"),
        "export jobs that span a revocation": NotServed("$export"),
        "caches and Vary": (_READ + "test_no_answer_is_kept_on_its_way",),
        "work done for denied versus absent": (_WORK + "test_a_denied_id_costs_what_an_unknown_one_costs",),
        "asking for access to a person without a passport": (
            "http/test_fhir_consents.py::"
            "test_asking_somebody_without_a_passport_is_answered_like_asking_somebody_with_one",
            _AROUND + "test_a_proposal_moved_to_somebody_else_does_not_tell_whether_they_are_here",
            _WORK + "test_a_request_for_access_to_a_resident_costs_what_one_put_to_nobody_costs",
            _SHARING + "test_asking_somebody_who_is_not_here_is_answered_like_asking_somebody_who_is",
            _SHARING + "test_asking_somebody_who_is_not_here_costs_what_asking_somebody_who_is_costs",
            _SHARING + "test_how_a_request_stands_costs_the_same_whoever_was_asked",
        ),
        "why denied": (_READ + "test_why_something_is_denied_is_told_to_the_patient_alone",),
        "whether two requests were put to one person": (
            _SHARING + "test_requests_to_one_person_by_two_ways_cannot_be_told_from_requests_to_two",
        ),
        "a share code that is unknown, over or used": (
            _SHARING + "test_a_code_is_refused_alike_whether_it_is_unknown_over_taken_back_or_used_by_others",
            _SHARING + "test_a_code_that_others_used_costs_what_an_unknown_one_costs",
        ),
        "a share code in a log, an address or the database": (
            _SHARING + "test_a_code_stands_neither_in_the_database_nor_in_a_log_nor_in_an_address",
        ),
        "a merge of registrations": (
            "attacks/test_merge_leaks.py::test_who_sees_one_registration_sees_nothing_of_the_other",
            "attacks/test_merge_leaks.py::test_a_stranger_is_answered_alike_with_and_without_a_merge",
        ),
        "a file that somebody else handed over": (
            "attacks/test_noninterference_leak.py::test_a_route_tells_nothing_of_what_is_hidden",
        ),
        "a device of somebody else": (
            "attacks/test_narrow_sessions.py::test_a_stranger_cannot_tell_a_device_from_none",
            "attacks/test_device_forgery.py::test_a_forgery_costs_what_an_unknown_device_costs",
        ),
    }
)
