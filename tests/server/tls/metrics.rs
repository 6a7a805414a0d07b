//! What Prometheus is told: counted right, on an address of its own, and all that the dashboard and the alerts ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use super::client::{TLS13, chain, config, connect, request};
use super::files::Files;
use crate::client::{Client, Response, Server};

const DASHBOARD: &str = include_str!("../../../deploy/grafana-dashboard.json");
const ALERTS: &str = include_str!("../../../deploy/alerts.yml");
const NIGHTLY: &str = include_str!("../../../scripts/nightly");

fn watched() -> Server {
    Server::start_with(|config| config.metrics_listen = Some("127.0.0.1:0".to_owned()))
}

fn ask(address: SocketAddr, method: &str, target: &str) -> Response {
    let stream = TcpStream::connect(address).expect("it accepts");
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).expect("a time-out");
    Client { stream }.send(method, target, &[], b"")
}

/// Every series with its value.
fn scrape(server: &Server) -> BTreeMap<String, f64> {
    let address = server.metrics.expect("metrics are served");
    let answer = ask(address, "GET", "/metrics");
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").expect("a content type");
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    assert!(answer.text().ends_with("# EOF\n"));
    let series = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    let lines = answer.text().lines().filter(|line| !line.starts_with('#'));
    lines.map(series).collect()
}

fn sum(all: &BTreeMap<String, f64>, name: &str, labels: &[&str]) -> f64 {
    let fits = |series: &str| {
        (series == name || series.starts_with(&format!("{name}{{")))
            && labels.iter().all(|label| series.contains(label))
    };
    let found: Vec<f64> = all
        .iter()
        .filter(|(series, _)| fits(series))
        .map(|(_, value)| *value)
        .collect();
    assert!(
        !found.is_empty(),
        "{name} {labels:?} is not among {:?}",
        all.keys()
    );
    found.iter().sum()
}

#[test]
fn requests_are_counted_by_what_they_ask_and_what_they_get() {
    let server = watched();
    let mut client = server.connect();
    let page = client.get("/fhir/Location?_count=1");
    let total = page.json()["total"].as_f64().expect("a total");
    client.get("/fhir/Location?_count=1");
    client.get("/fhir/Location/un");
    client.get("/fhir/Location?nom=1");
    client.get("/fhir/Nothing");
    client.get("/livez");
    assert_eq!(client.get("/fhir/$export").status, 202);
    let all = scrape(&server);
    assert_eq!(sum(&all, "rorqual_export_jobs", &[]), 1.0);
    let exports = ["interaction=\"export\"", "status=\"202\""];
    assert_eq!(sum(&all, "rorqual_requests_total", &exports), 1.0);
    let searched = ["interaction=\"search\"", "kind=\"Location\""];
    let count = |labels: &[&str]| sum(&all, "rorqual_requests_total", labels);
    assert_eq!(count(&[searched[0], searched[1], "status=\"200\""]), 2.0);
    assert_eq!(count(&[searched[0], searched[1], "status=\"400\""]), 1.0);
    assert_eq!(count(&["interaction=\"read\"", "status=\"200\""]), 1.0);
    assert_eq!(count(&["interaction=\"none\"", "status=\"404\""]), 1.0);
    assert_eq!(count(&["interaction=\"health\""]), 1.0);
    assert_eq!(sum(&all, "rorqual_matches_total", &searched), 2.0 * total);
    assert_eq!(
        sum(&all, "rorqual_request_duration_seconds_count", &searched),
        3.0
    );
    let bytes = sum(&all, "rorqual_response_bytes_total", &searched);
    assert!(bytes > 2.0 * page.body.len() as f64, "{bytes}");
    let refused = ["status=\"400\"", "code=\"not-supported\""];
    assert_eq!(sum(&all, "rorqual_refusals_total", &refused), 1.0);
    assert_eq!(sum(&all, "rorqual_connections_open", &[]), 1.0);
    assert_eq!(sum(&all, "rorqual_anomalies_writable", &[]), 1.0);
    let resources = sum(&all, "rorqual_resources", &["kind=\"Location\""]);
    assert_eq!(resources, total);
    let built = sum(&all, "rorqual_directory_built_timestamp_seconds", &[]);
    let created = sum(&all, "rorqual_generation_created_timestamp_seconds", &[]);
    assert!((built - created).abs() < 1.0, "{built} {created}");
}

#[test]
fn the_address_of_the_metrics_answers_nothing_else_and_clients_get_none() {
    let server = watched();
    let address = server.metrics.expect("metrics are served");
    assert_eq!(ask(address, "GET", "/fhir/Location").status, 404);
    let refused = ask(address, "POST", "/metrics");
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("GET, HEAD"))
    );
    assert_eq!(server.get("/metrics").status, 404);
    assert_eq!(Server::start().metrics, None, "off unless asked for");
}

#[test]
fn everything_that_the_dashboard_and_the_alerts_ask_for_is_exported() {
    let files = Files::new();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = files.serve(|_, config| {
        config.metrics_listen = Some("127.0.0.1:0".to_owned());
        config.access.audit_log = Some(folder.path().join("requests.ndjson"));
    });
    let who = &files.pki.profiles[1];
    let mut client =
        connect(&server, &Arc::new(config(&files, chain(who), &TLS13))).expect("a connection");
    assert_eq!(
        request(&mut client, "/fhir/Location")
            .expect("an answer")
            .status,
        200
    );
    request(&mut client, "/fhir/Nothing").expect("an answer");
    let exported: BTreeSet<String> = scrape(&server)
        .into_keys()
        .map(|series| series.split('{').next().unwrap_or_default().to_owned())
        .collect();
    let mut asked = 0;
    for name in named_in(DASHBOARD).chain(named_in(ALERTS)) {
        asked += 1;
        // The nightly job tells of itself by a file.
        let known = match name.starts_with("rorqual_nightly_") {
            true => NIGHTLY.contains(&format!("\"{name}\"")),
            false => exported.contains(name),
        };
        assert!(known, "{name} is asked for and not exported");
    }
    assert!(asked > 40, "only {asked} names were found");
    let ends = scrape(&server);
    let ends = sum(
        &ends,
        "rorqual_tls_expiry_timestamp_seconds",
        &["server-certificate"],
    );
    assert!(ends > 1.7e9, "{ends}");
}

/// The names of metrics in a text.
fn named_in(text: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(move |c| !word(c))
        // A comment names a whole family by its beginning.
        .filter(|word| word.starts_with("rorqual_") && !word.ends_with('_'))
}

#[test]
fn a_new_generation_is_seen_in_the_metrics() {
    let server = watched();
    let before = scrape(&server);
    assert_eq!(sum(&before, "rorqual_swaps_total", &[]), 0.0);
    // A fold without anything to fold would change nothing.
    let task = include_bytes!("../../../docs/examples/anomaly.json");
    let written = server.connect().send(
        "POST",
        "/fhir/Task",
        &[("Content-Type", "application/fhir+json")],
        &anomaly_about_un(task),
    );
    assert_eq!(written.status, 201, "{}", written.text());
    let middle = scrape(&server);
    assert_eq!(sum(&middle, "rorqual_anomalies_unfolded", &[]), 1.0);
    assert_eq!(sum(&middle, "rorqual_log_records_total", &[]), 1.0);
    rorqual::anomaly::fold::fold(&server.index(), 1).expect("a fold");
    while sum(&scrape(&server), "rorqual_swaps_total", &[]) == 0.0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let after = scrape(&server);
    assert_eq!(sum(&after, "rorqual_anomalies_unfolded", &[]), 0.0);
    assert_eq!(sum(&after, "rorqual_generations_retired", &[]), 1.0);
    let built = |all| sum(all, "rorqual_directory_built_timestamp_seconds", &[]);
    assert_eq!(
        built(&after),
        built(&before),
        "a fold makes no directory younger"
    );
}

/// The documented example, about a place that the test's index has.
fn anomaly_about_un(example: &[u8]) -> Vec<u8> {
    let mut task: serde_json::Value = serde_json::from_slice(example).expect("JSON");
    task["focus"] = serde_json::json!({"reference": "Location/un"});
    task.to_string().into_bytes()
}
