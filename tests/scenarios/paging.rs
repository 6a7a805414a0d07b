//! Small pages lead through exactly the matches of large ones, in the same order.

use crate::found::matches;
use crate::report;
use crate::served::served;

/// Matches of a search worth walking through in pages of seven.
const MID_SIZED: std::ops::RangeInclusive<usize> = 8..=400;
const PAGE: usize = 7;

pub fn small_pages_lead_through_the_same_matches() {
    let served = served();
    let mut connection = served.connect();
    let (mut checked, mut complaints) = (0, Vec::new());
    for (request, pages) in served.answered() {
        let whole = matches(pages);
        if !MID_SIZED.contains(&whole.len()) || request.query().contains("_count") {
            continue;
        }
        checked += 1;
        let target = request.with(&format!("_count={PAGE}"));
        match served.walk(&mut connection, request, &target) {
            Err(why) => complaints.push(format!("{}: {why}", request.name())),
            Ok(small) => {
                let full = small.iter().rev().skip(1);
                let right_sizes = full
                    .map(|page| page.keys("match").count())
                    .all(|matches| matches == PAGE);
                let totals = small
                    .iter()
                    .all(|page| page.total == Some(whole.len() as u64));
                if matches(&small) != whole || !right_sizes || !totals {
                    complaints.push(format!(
                        "{}: {} matches in {} pages of {PAGE}, {} at once; sizes right: {right_sizes}, totals right: {totals}",
                        request.name(),
                        matches(&small).len(),
                        small.len(),
                        whole.len()
                    ));
                }
            }
        }
    }
    report("searches in small pages", checked, &complaints);
}

pub fn previous_and_last_lead_back() {
    let served = served();
    let mut connection = served.connect();
    let (mut checked, mut complaints) = (0, Vec::new());
    for (request, pages) in served.answered() {
        let Some((last, before)) = pages.split_last() else {
            continue;
        };
        let Some(before) = before.last() else {
            continue;
        };
        checked += 1;
        for (relation, from, to) in [
            ("previous", last, before),
            ("last", before, last),
            ("first", last, &pages[0]),
        ] {
            let target = (from.link(relation))
                .and_then(|url| url.strip_prefix(served.base_url.as_str()))
                .unwrap_or("/absent");
            let response = served.send(&mut connection, "GET", request, target, &[], b"");
            let same = served.page(&response).is_ok_and(|page| {
                page.keys("match").eq(to.keys("match"))
                    && page.keys("include").eq(to.keys("include"))
            });
            if !same {
                complaints.push(format!("{}: {relation} leads elsewhere", request.name()));
            }
        }
    }
    report("searches of several pages", checked, &complaints);
}
