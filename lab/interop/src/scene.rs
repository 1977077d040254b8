//! A lab, a server in it, and browsers in its clients' namespaces.

use std::path::PathBuf;
use std::rc::Rc;
use std::thread;

use natlab::{Lab, Running};

use crate::certificate::Authority;
use crate::driver::Driver;
use crate::server::Server;
use crate::turn::note;
use crate::{Browser, Page, artifacts};

/// What the server is called inside every lab.
pub const NAME: &str = "twocan.example";

/// How many browsers are kept for the next page; the one that was used least recently makes room.
const KEPT: usize = 3;

/// A lab, a server in it, and browsers in its clients' namespaces.
#[derive(Debug)]
pub struct Scene {
    name: String,
    pages: Vec<Page>,
    browsers: Vec<(String, Browser, Rc<Driver>)>,
    server: Option<Server>,
    authority: Authority,
    // After what runs inside it.
    lab: Running,
    sources: u64,
}

impl Scene {
    /// Builds the lab, and starts the server in it. `name` is the test's, for what it leaves when it fails.
    ///
    /// # Panics
    /// If either cannot be done.
    #[must_use]
    pub fn new(name: &str, lab: Lab) -> Self {
        Self::with_options(name, lab, &[])
    }

    /// As [`Scene::new`], with further options for the server.
    ///
    /// # Panics
    /// If either cannot be done.
    #[must_use]
    pub fn with_options(name: &str, lab: Lab, options: &'static [&'static str]) -> Self {
        let mut scene = Self::without_server(name, lab);
        match Server::start(&scene.lab, &scene.authority, options) {
            Ok(server) => scene.server = Some(server),
            Err(why) => panic!("{why}"),
        }
        scene
    }

    /// Builds the lab only.
    ///
    /// # Panics
    /// If it cannot be done.
    #[must_use]
    pub fn without_server(name: &str, lab: Lab) -> Self {
        let lab = lab.server_name(NAME).up().unwrap_or_else(|why| panic!("{why}"));
        let authority = Authority::new().unwrap_or_else(|why| panic!("{why}"));
        Self {
            name: name.to_owned(),
            pages: Vec::new(),
            browsers: Vec::new(),
            server: None,
            authority,
            lab,
            sources: 0,
        }
    }

    /// The lab, for cutting its links.
    #[must_use]
    pub fn lab(&self) -> &Running {
        &self.lab
    }

    /// The certificate (PEM) of the authority that the server has its own from; browsers are told to trust it.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.authority.root()
    }

    /// Opens an empty tab that shares nothing with others, in a browser at `client`.
    #[track_caller]
    pub fn page(&mut self, client: &str, browser: Browser) -> Page {
        self.open(client, browser, true)
    }

    /// Opens an empty tab whose files the browser keeps on disk (a fresh one's are in memory, and few).
    #[track_caller]
    pub fn page_with_disk(&mut self, client: &str, browser: Browser) -> Page {
        self.open(client, browser, false)
    }

    /// Opens a page of the server in a tab of its own: `path` is what follows the server's name.
    #[track_caller]
    pub fn visit(&mut self, client: &str, browser: Browser, path: &str) -> Page {
        let page = self.page(client, browser);
        page.goto(&format!("https://{NAME}{path}"));
        page
    }

    /// Closes all tabs, and keeps the browsers for the next.
    pub fn clear(&mut self) {
        for page in self.pages.drain(..) {
            page.close();
        }
    }

    /// Kills the server with SIGKILL.
    pub fn kill_server(&mut self) {
        if let Some(server) = &mut self.server {
            server.kill();
        }
    }

    /// Starts the server again, with its data.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart_server(&mut self) {
        if let Some(Err(why)) = self.server.as_mut().map(|server| server.restart(&self.lab, &self.authority))
        {
            panic!("{why}");
        }
    }

    #[track_caller]
    fn open(&mut self, client: &str, browser: Browser, fresh: bool) -> Page {
        self.sources = self.sources % 31 + 1;
        let opened = self.try_open(client, browser, fresh).or_else(|why| {
            note(&format!("{client}: {browser} opened no page, and is started again: {why}"));
            self.browsers.retain(|(place, kind, _)| (place.as_str(), *kind) != (client, browser));
            self.try_open(client, browser, fresh)
        });
        let page = opened.unwrap_or_else(|why| panic!("{client}: {browser} opened no page: {why}"));
        self.pages.push(page.clone());
        page
    }

    fn try_open(&mut self, client: &str, browser: Browser, fresh: bool) -> Result<Page, String> {
        Page::open(self.browser(client, browser)?, client, self.sources, fresh)
    }

    /// The browser of that kind at `client`, started if need be.
    fn browser(&mut self, client: &str, browser: Browser) -> Result<Rc<Driver>, String> {
        let found = self.browsers.iter().position(|(place, kind, _)| place == client && *kind == browser);
        let entry = match found {
            Some(index) => self.browsers.remove(index),
            None => {
                let driver = Driver::start(&self.lab, client, browser, &self.authority)?;
                (client.to_owned(), browser, Rc::new(driver))
            }
        };
        let driver = Rc::clone(&entry.2);
        self.browsers.push(entry);
        // One that still has a page lives on with it.
        while self.browsers.len() > KEPT {
            self.browsers.remove(0);
        }
        Ok(driver)
    }

    fn save(&self) {
        let folder = artifacts::folder(&self.name);
        for page in &self.pages {
            page.save(&folder);
        }
        if let Some(server) = &self.server {
            let _ = std::fs::write(folder.join("server.log"), server.log());
        }
        eprintln!("what could be seen of it is in {}", folder.display());
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if thread::panicking() {
            self.save();
        }
    }
}
