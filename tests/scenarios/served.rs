//! The small extract, indexed once and served; the answers to all documented GET requests.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::OnceLock;

use rorqual::server::{ServerConfig, serve};

use crate::connection::{Connection, Response};
use crate::directory::Directory;
use crate::documents::{Expect, Request, requests};
use crate::page::Page;

/// More pages than any search over the extract has: a `next` that leads in a circle ends here.
const PAGES: usize = 1_000;

/// The server, and what it answered.
pub struct Served {
    pub address: SocketAddr,
    pub base_url: String,
    pub requests: Vec<Request>,
    /// Searches that are to be carried out and were, by their place in `requests`.
    pub answers: Vec<Option<Result<Vec<Page>, String>>>,
    pub directory: Directory,
}

/// What was answered to one request that is to be carried out.
pub struct Search<'a> {
    pub request: &'a Request,
    /// All pages, or why there are none.
    pub pages: &'a Result<Vec<Page>, String>,
}

/// The one server of this run; it ends with the process.
pub fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let mut served = start("scenarios-index");
        served.directory = Directory::fetch(&served);
        let mut connection = served.connect();
        served.answers = served
            .requests
            .iter()
            .map(|request| {
                let searches = matches!(request.expect, Expect::Found | Expect::Empty)
                    && request.is_sendable_get()
                    && request.is_accepted();
                searches.then(|| served.walk(&mut connection, request, &request.target))
            })
            .collect();
        served
    })
}

/// Indexes the extract, in a folder of that name that the next run replaces, and serves it. Nothing is asked yet.
pub fn start(folder: &str) -> Served {
    let index = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    if index.exists() {
        std::fs::remove_dir_all(&index).expect("the index of an earlier run can be removed");
    }
    index_builder::build(&index_builder::BuildOptions {
        extract: vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/extract")],
        index: index.clone(),
        quiet: true,
        ..Default::default()
    })
    .expect("the extract builds");
    let config = ServerConfig {
        listen: "127.0.0.1:0".to_owned(),
        ..ServerConfig::default()
    };
    let opened = rorqual::server::Served::open(&index, &config).expect("the index opens");
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(serve(opened, config, std::future::pending(), |bound| {
            let _ = tell.send((bound.address, bound.base_url.clone()));
        }))
    });
    let (address, base_url) = told.recv().expect("the server listens");
    Served {
        address,
        base_url,
        requests: requests(),
        answers: Vec::new(),
        directory: Directory::default(),
    }
}

impl Served {
    /// A connection to the server.
    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// The path of the base, before which nothing of FHIR stands.
    pub fn base_path(&self) -> &str {
        let host = self.base_url.split_once("://").map_or("", |(_, rest)| rest);
        host.find('/').map_or("", |slash| &host[slash..])
    }

    /// Sends a documented request, or a change of it, with the headers of the document.
    pub fn send(
        &self,
        connection: &mut Connection,
        method: &str,
        request: &Request,
        target: &str,
        more: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let mut headers = request.headers.clone();
        headers.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        connection.send(
            method,
            &format!("{}{target}", self.base_path()),
            &headers,
            body,
        )
    }

    /// All pages of a search, from the first to the one without `next`.
    pub fn walk(
        &self,
        connection: &mut Connection,
        request: &Request,
        target: &str,
    ) -> Result<Vec<Page>, String> {
        let mut pages = Vec::new();
        let mut next = Some(format!("{}{target}", self.base_path()));
        while let Some(target) = next {
            let response = connection.send("GET", &target, &request.headers, b"");
            pages.push(self.page(&response)?);
            if pages.len() > PAGES {
                return Err(format!("more than {PAGES} pages"));
            }
            next = match pages.last().and_then(|page| page.link("next")) {
                Some(url) => Some(self.behind_host(url)?),
                None => None,
            };
        }
        Ok(pages)
    }

    /// Reads a searchset from a response.
    pub fn page(&self, response: &Response) -> Result<Page, String> {
        let json = response.json()?;
        if response.status != 200 {
            let said: Vec<String> = crate::page::issues(&json)
                .into_iter()
                .map(|issue| issue.diagnostics)
                .collect();
            return Err(format!("status {}: {}", response.status, said.join(" | ")));
        }
        Page::read(&json, &self.base_url)
    }

    fn behind_host(&self, url: &str) -> Result<String, String> {
        url.strip_prefix(self.base_url.as_str())
            .map(|rest| format!("{}{rest}", self.base_path()))
            .ok_or_else(|| format!("a link leaves the server: {url}"))
    }

    /// All searches that are to be carried out, with their answers.
    pub fn searches(&self) -> impl Iterator<Item = Search<'_>> {
        self.requests
            .iter()
            .zip(&self.answers)
            .filter_map(|(request, answer)| {
                let pages = answer.as_ref()?;
                Some(Search { request, pages })
            })
    }

    /// The searches that were answered; that the others were not is one complaint, of one check.
    pub fn answered(&self) -> impl Iterator<Item = (&Request, &[Page])> {
        self.searches()
            .filter_map(|search| Some((search.request, search.pages.as_deref().ok()?)))
    }
}
