//! A search is the same by GET, by HEAD and by a form.

use crate::report;
use crate::served::served;

const FORM: [(&str, &str); 1] = [("Content-Type", "application/x-www-form-urlencoded")];

pub fn head_tells_status_and_length_of_get() {
    let served = served();
    let mut connection = served.connect();
    let (mut checked, mut complaints) = (0, Vec::new());
    for request in served.requests.iter().filter(|one| one.is_sendable_get()) {
        checked += 1;
        let get = served.send(&mut connection, "GET", request, &request.target, &[], b"");
        let head = served.send(&mut connection, "HEAD", request, &request.target, &[], b"");
        let length = |response: &crate::connection::Response| {
            response.header("content-length").map(str::to_owned)
        };
        if (get.status, length(&get)) != (head.status, length(&head)) || !head.body.is_empty() {
            complaints.push(format!(
                "{}: GET {} {:?}, HEAD {} {:?}",
                request.name(),
                get.status,
                length(&get),
                head.status,
                length(&head)
            ));
        }
    }
    report("HEAD", checked, &complaints);
}

pub fn a_form_finds_what_the_url_finds() {
    let served = served();
    let mut connection = served.connect();
    let (mut checked, mut complaints) = (0, Vec::new());
    for search in served.searches() {
        let request = search.request;
        checked += 1;
        let target = format!("{}/_search", request.path());
        let query = request.query().as_bytes();
        let response = served.send(&mut connection, "POST", request, &target, &FORM, query);
        let by_form = served.page(&response).map(|page| page.total);
        let by_url = search.pages.clone().map(|pages| pages[0].total);
        if by_form.is_err() || by_form != by_url {
            complaints.push(format!(
                "{}: {by_form:?} by form, {by_url:?} by URL",
                request.name()
            ));
        }
    }
    report("forms", checked, &complaints);
}
