//! Calls between real browsers, through the whole of twocan, from behind real NATs.
//!
//! A [`Scene`] is a lab of namespaces (`natlab`), the real `twocan` binary in its internet, and headless Chromium
//! and Firefox in its clients' namespaces. Each browser has a driver process beside it (`driver/`, Node with
//! puppeteer-core) that takes JSON lines; a [`Page`] is a tab. In every page the camera is replaced by a picture
//! that counts (`driver/in-page.js`), so a test can tell which frames arrived, and from whom.
//!
//! Everything waits by asking again until a generous deadline. Starting a browser may be tried twice; an
//! assertion never. When a test fails, its screenshots, consoles, page states and server log are put into
//! `artifacts/`, and the path is printed.
//!
//! Browsers are hungry: two tests run at a time, or one that is hungrier still, whatever number of threads the harness has.

mod artifacts;
mod browser;
mod certificate;
mod driver;
mod page;
mod scene;
mod server;
mod turn;

pub use browser::Browser;
pub use driver::Memory;
pub use page::Page;
pub use scene::{NAME, Scene};
pub use server::binary as twocan;
pub use turn::{Turn, begin, begin_alone, note_skipped};

/// How long a wait may last before it counts as a failure: far longer than anything takes.
pub const DEADLINE: std::time::Duration = std::time::Duration::from_secs(60);
