//! A tab. Its methods panic where a test should fail.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::driver::Driver;
use crate::{DEADLINE, Memory};

/// What to tell about a page that did not come to the state that was waited for.
const STATE: &str = "({ address: location.href, twocan: window.twocan && Object.fromEntries(['stage', 'signaling', \
                     'room', 'topology', 'peers', 'transfers', 'counters', 'local', 'check'].map((key) => [key, \
                     window.twocan[key]])), connections: window.lab?.connections.map((connection) => [\
                     connection.connectionState, connection.iceConnectionState, connection.signalingState]), \
                     problem: document.querySelector('[data-testid=problem]')?.innerText ?? null })";

/// A tab of a browser in a client's namespace.
#[derive(Clone, Debug)]
pub struct Page {
    driver: Rc<Driver>,
    number: u64,
    name: String,
    source: u64,
}

impl Page {
    pub(crate) fn open(driver: Rc<Driver>, name: &str, source: u64, fresh: bool) -> Result<Self, String> {
        let number = driver.ask("page", json!({ "source": source, "fresh": fresh }), DEADLINE)?;
        let number = number.as_u64().ok_or("the driver gave the page no number")?;
        Ok(Self { driver, number, name: name.to_owned(), source })
    }

    /// Who sits before it: the name it was opened with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number in its camera's picture; its screen's picture has 32 more.
    #[must_use]
    pub fn source(&self) -> u64 {
        self.source
    }

    /// Opens an address, whose server may still be starting.
    #[track_caller]
    pub fn goto(&self, url: &str) {
        let deadline = millis(DEADLINE);
        let _ = self.ask("goto", json!({ "url": url, "deadline": deadline }), DEADLINE);
    }

    /// The value of a JavaScript expression; promises are awaited.
    #[track_caller]
    pub fn eval(&self, expression: &str) -> Value {
        self.ask("eval", json!({ "expression": expression }), 5 * DEADLINE)
    }

    /// Asks again until the expression is true, and returns its value.
    #[track_caller]
    pub fn wait(&self, expression: &str) -> Value {
        self.wait_for(DEADLINE, expression)
    }

    /// As [`Page::wait`], with a deadline of its own.
    #[track_caller]
    pub fn wait_for(&self, deadline: Duration, expression: &str) -> Value {
        let options = json!({ "expression": expression, "deadline": millis(deadline), "describe": STATE });
        self.ask("wait", options, deadline)
    }

    /// A real click on what carries this `data-testid`.
    #[track_caller]
    pub fn click(&self, test_id: &str) {
        let options =
            json!({ "selector": format!("[data-testid='{test_id}']"), "deadline": millis(DEADLINE) });
        let _ = self.ask("click", options, DEADLINE);
    }

    /// Types into what carries this `data-testid`.
    #[track_caller]
    pub fn type_into(&self, test_id: &str, text: &str) {
        let options = json!({ "selector": format!("[data-testid='{test_id}']"), "text": text });
        let _ = self.ask("type", options, DEADLINE);
    }

    /// Serves `html` on the client's own localhost and opens it: a page without twocan.
    #[track_caller]
    pub fn goto_own(&self, html: &str) {
        let address = self.ask("serve", json!({ "html": html }), DEADLINE);
        self.goto(address.as_str().unwrap_or_default());
    }

    /// What its browser's processes use now.
    #[track_caller]
    pub fn memory(&self) -> Memory {
        self.driver.memory().unwrap_or_else(|why| panic!("{}: memory: {why}", self.name))
    }

    /// Has a tab of Chromium drop what nobody refers to any more.
    #[track_caller]
    pub fn collect_garbage(&self) {
        let _ = self.ask("collect", json!({}), DEADLINE);
    }

    /// Closes it.
    #[track_caller]
    pub fn close(self) {
        let _ = self.ask("closePage", json!({}), DEADLINE);
    }

    /// Writes what can be told about the page into `folder`, for a person who looks into a failure.
    pub(crate) fn save(&self, folder: &Path) {
        let stem = folder.join(format!("{}-{}", self.name, self.number));
        let picture = json!({ "page": self.number, "path": stem.with_extension("png") });
        let state = json!({ "page": self.number, "expression": STATE });
        // The page may be closed, the browser dead: then there is less to see.
        let _ = self.driver.ask("screenshot", picture, DEADLINE / 4);
        if let Ok(state) = self.driver.ask("eval", state, DEADLINE / 4) {
            let _ = std::fs::write(stem.with_extension("json"), format!("{state:#}"));
        }
        let _ = std::fs::write(stem.with_extension("console.txt"), self.driver.log().join("\n"));
    }

    #[track_caller]
    fn ask(&self, operation: &str, mut options: Value, deadline: Duration) -> Value {
        options["page"] = self.number.into();
        match self.driver.ask(operation, options, deadline) {
            Ok(value) => value,
            Err(why) => panic!("{}: {operation}: {why}", self.name),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
