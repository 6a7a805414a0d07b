//! The requests that the ROR documents, sent over HTTP to an index of the small extract.

mod anomalies;
mod connection;
mod directory;
mod documents;
mod exports;
mod found;
mod includes;
mod page;
mod paging;
mod refused;
mod served;
mod slips;
mod spellings;
mod transport;

/// Every check, by name. They share one index, one server and one walk through all answers, which is why they are one
/// test: a runner that gives each test a process would make all three two dozen times. Those that write share another.
const CHECKS: &[(&str, fn())] = &[
    (
        "found::every_accepted_search_finds_what_the_fixtures_say",
        found::every_accepted_search_finds_what_the_fixtures_say,
    ),
    (
        "found::what_the_fixtures_promise_exists",
        found::what_the_fixtures_promise_exists,
    ),
    ("found::bundles_are_whole", found::bundles_are_whole),
    (
        "found::variants_of_one_search_find_the_same",
        found::variants_of_one_search_find_the_same,
    ),
    (
        "found::proximity_gives_distances_nearest_first",
        found::proximity_gives_distances_nearest_first,
    ),
    (
        "found::full_text_is_scored_best_first",
        found::full_text_is_scored_best_first,
    ),
    (
        "found::sorted_searches_are_sorted",
        found::sorted_searches_are_sorted,
    ),
    (
        "found::chosen_elements_come_alone",
        found::chosen_elements_come_alone,
    ),
    (
        "found::reads_give_the_resource_itself",
        found::reads_give_the_resource_itself,
    ),
    (
        "includes::pages_include_exactly_what_was_asked_for",
        includes::pages_include_exactly_what_was_asked_for,
    ),
    (
        "includes::scenarios_include_the_types_they_are_documented_with",
        includes::scenarios_include_the_types_they_are_documented_with,
    ),
    (
        "paging::small_pages_lead_through_the_same_matches",
        paging::small_pages_lead_through_the_same_matches,
    ),
    (
        "paging::previous_and_last_lead_back",
        paging::previous_and_last_lead_back,
    ),
    (
        "refused::what_must_be_refused_is_refused_and_the_culprit_named",
        refused::what_must_be_refused_is_refused_and_the_culprit_named,
    ),
    (
        "refused::no_request_is_forgotten",
        refused::no_request_is_forgotten,
    ),
    (
        "spellings::every_alias_is_a_known_misspelling",
        spellings::every_alias_is_a_known_misspelling,
    ),
    (
        "spellings::misspellings_are_answered_with_a_warning",
        spellings::misspellings_are_answered_with_a_warning,
    ),
    (
        "spellings::misspellings_are_refused_under_strict_handling",
        spellings::misspellings_are_refused_under_strict_handling,
    ),
    (
        "spellings::strict_handling_refuses_what_is_warned_of_and_nothing_else",
        spellings::strict_handling_refuses_what_is_warned_of_and_nothing_else,
    ),
    (
        "anomalies::reports_are_stored_as_published",
        anomalies::reports_are_stored_as_published,
    ),
    (
        "anomalies::updates_are_made_as_published",
        anomalies::updates_are_made_as_published,
    ),
    (
        "anomalies::what_must_be_refused_is_refused",
        anomalies::what_must_be_refused_is_refused,
    ),
    (
        "anomalies::consultations_find_what_was_written",
        anomalies::consultations_find_what_was_written,
    ),
    (
        "anomalies::offers_are_found_by_their_new_anomalies",
        anomalies::offers_are_found_by_their_new_anomalies,
    ),
    (
        "exports::exports_hold_what_paging_gives",
        exports::exports_hold_what_paging_gives,
    ),
    (
        "transport::head_tells_status_and_length_of_get",
        transport::head_tells_status_and_length_of_get,
    ),
    (
        "transport::a_form_finds_what_the_url_finds",
        transport::a_form_finds_what_the_url_finds,
    ),
];

#[test]
fn documented_requests() {
    let failed: Vec<&str> = CHECKS
        .iter()
        .filter(|(_, check)| std::panic::catch_unwind(check).is_err())
        .map(|(name, _)| *name)
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} checks failed: {}",
        failed.len(),
        CHECKS.len(),
        failed.join(", ")
    );
}

/// Fails with every complaint at once, so that one run tells all.
fn report(what: &str, checked: usize, complaints: &[String]) {
    println!("{what}: {checked} checked");
    assert!(checked > 0, "{what}: nothing was checked");
    assert!(
        complaints.is_empty(),
        "{what}: {} complaints on {checked} requests\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}
