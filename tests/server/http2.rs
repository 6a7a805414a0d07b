//! HTTP/2 without TLS, by prior knowledge, spoken by hand: a few frames and the static header table.

use std::io::{Read, Write};

use crate::client::{Client, Server};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const SETTINGS: u8 = 4;
pub const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

pub fn write<S: Read + Write>(
    client: &mut Client<S>,
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &[u8],
) {
    let length = u32::try_from(payload.len())
        .expect("a short frame")
        .to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    client.write(&frame);
}

pub fn read<S: Read + Write>(client: &mut Client<S>) -> Frame {
    try_read(client).expect("a frame")
}

/// The next frame; an error once the connection has ended.
pub fn try_read<S: Read + Write>(client: &mut Client<S>) -> std::io::Result<Frame> {
    let mut head = [0; 9];
    client.stream.read_exact(&mut head)?;
    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    client.stream.read_exact(&mut payload)?;
    Ok(Frame {
        kind: head[3],
        flags: head[4],
        stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
        payload,
    })
}

/// A GET: `:method GET` and `:scheme http` from the static table, path and authority as literals.
pub fn get<S: Read + Write>(client: &mut Client<S>, stream: u32, path: &str) {
    let mut block = vec![
        0x82,
        0x86,
        0x04,
        u8::try_from(path.len()).expect("a short path"),
    ];
    block.extend(path.as_bytes());
    block.extend([0x01, 1, b't']);
    write(client, HEADERS, END_STREAM | END_HEADERS, stream, &block);
}

/// The first byte of the header block, where the status stands, and the body, of each stream.
pub fn responses<S: Read + Write>(client: &mut Client<S>, streams: &[u32]) -> Vec<(u8, Vec<u8>)> {
    let mut out = vec![(0, Vec::new()); streams.len()];
    let mut open = streams.len();
    while open > 0 {
        let frame = read(client);
        assert_ne!(frame.kind, GOAWAY, "the server gave up");
        let Some(at) = streams.iter().position(|stream| *stream == frame.stream) else {
            continue;
        };
        match frame.kind {
            HEADERS => out[at].0 = frame.payload[0],
            DATA => out[at].1.extend(frame.payload),
            _ => continue,
        }
        open -= usize::from(frame.flags & END_STREAM != 0);
    }
    out
}

pub fn connect(server: &Server) -> Client {
    let mut client = server.connect();
    open(&mut client);
    client
}

/// What a client says first.
pub fn open<S: Read + Write>(client: &mut Client<S>) {
    client.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    // Windows wide enough for every answer: setting 4, and the connection's own.
    write(client, SETTINGS, 0, 0, &[0, 4, 0x3f, 0, 0, 0]);
    write(client, WINDOW_UPDATE, 0, 0, &[0x3f, 0, 0, 0]);
}

// Entries 8 and 13 of the static table, as indexed fields.
const STATUS_200: u8 = 0x80 | 8;
const STATUS_404: u8 = 0x80 | 13;

#[test]
fn many_requests_share_a_connection() {
    let server = Server::start();
    let mut client = connect(&server);
    get(&mut client, 1, "/fhir/Location?_count=5");
    get(&mut client, 3, "/fhir/Patient");
    get(&mut client, 5, "/fhir/Location/un");
    let answers = responses(&mut client, &[1, 3, 5]);
    assert_eq!(
        [answers[0].0, answers[1].0, answers[2].0],
        [STATUS_200, STATUS_404, STATUS_200]
    );
    let json =
        |at: usize| serde_json::from_slice::<serde_json::Value>(&answers[at].1).expect("JSON");
    assert_eq!(json(0)["total"], 2);
    assert_eq!(json(1)["resourceType"], "OperationOutcome");
    assert_eq!(json(2)["id"], "un");
}

#[test]
fn both_versions_give_the_same_bytes() {
    let server = Server::start();
    let mut client = connect(&server);
    get(&mut client, 1, "/fhir/metadata");
    let answers = responses(&mut client, &[1]);
    assert!(server.get("/fhir/metadata").body == answers[0].1);
}

#[test]
fn a_connection_without_requests_is_sent_away_at_the_end() {
    let mut server = Server::start();
    let mut client = connect(&server);
    get(&mut client, 1, "/livez");
    assert_eq!(responses(&mut client, &[1])[0].0, STATUS_200);
    server.ask_to_stop();
    while read(&mut client).kind != GOAWAY {}
    drop(client);
    server.wait().expect("a clean stop");
}
