//! Many clients at once: nothing is lost, nothing is given twice.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::body::{anomaly, id_of};
use crate::client::Server;

const CLIENTS: usize = 64;
const TASKS: usize = 2_000;

#[test]
fn sixty_four_clients_report_two_thousand_anomalies() {
    let server = Server::start();
    let reported = Mutex::new(Vec::with_capacity(TASKS));
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (server, reported) = (&server, &reported);
            scope.spawn(move || {
                let mut client = server.connect();
                let share = TASKS / CLIENTS + usize::from(number < TASKS % CLIENTS);
                for _ in 0..share {
                    let task = client.report(&anomaly());
                    let identifier = task["identifier"][0]["value"].as_str();
                    let pair = (id_of(&task), identifier.expect("a number").to_owned());
                    reported.lock().expect("no client fails").push(pair);
                }
            });
        }
    });
    let reported = reported.into_inner().expect("no client fails");
    assert_eq!(reported.len(), TASKS);
    let ids: BTreeSet<&String> = reported.iter().map(|(id, _)| id).collect();
    let numbers: BTreeSet<&String> = reported.iter().map(|(_, number)| number).collect();
    assert_eq!((ids.len(), numbers.len()), (TASKS, TASKS));
    let mut client = server.connect();
    let found = client.found("Task?business-status=02&_count=1000");
    assert_eq!(found.len(), TASKS);
    assert_eq!(found.iter().collect::<BTreeSet<_>>(), ids);
    let (id, number) = &reported[TASKS / 2];
    assert_eq!(
        client.found(&format!("Task?identifier={number}")),
        [id.as_str()]
    );
}

#[test]
fn a_bound_on_waiting_searches_turns_no_report_away() {
    let server = Server::start_with(|config| {
        config.limits.max_concurrent_searches = 1;
        config.limits.max_waiting_searches = 0;
    });
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let mut client = server.connect();
                for _ in 0..20 {
                    client.report(&anomaly());
                }
            });
        }
    });
    assert_eq!(server.connect().total("Task"), 2 + 16 * 20);
}
