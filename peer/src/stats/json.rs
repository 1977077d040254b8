//! Writes a report as JSON (RFC 8259), its members in the order of the standard's.

use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

/// An object that is being written.
pub(super) struct Object<'a> {
    out: &'a mut String,
    is_empty: bool,
    /// The moment of the report, and its time in milliseconds.
    at: Instant,
    timestamp: f64,
}

impl<'a> Object<'a> {
    pub(super) fn begin(out: &'a mut String, at: Instant, timestamp: f64) -> Self {
        out.push('{');
        Self { out, is_empty: true, at, timestamp }
    }

    pub(super) fn end(self) {
        self.out.push('}');
    }

    /// A member; what is nothing is left out.
    pub(super) fn member(&mut self, name: &str, value: &impl Serialize) {
        // Numbers and texts cannot fail.
        match serde_json::to_value(value) {
            Ok(Value::Null) | Err(_) => {}
            Ok(value) => self.nullable(name, value),
        }
    }

    /// A member that is there without a value, too.
    pub(super) fn nullable(&mut self, name: &str, value: impl Into<Value>) {
        self.name(name);
        self.out.push_str(&value.into().to_string());
    }

    /// An instant as `DOMHighResTimeStamp`.
    pub(super) fn time(&mut self, name: &str, time: Option<Instant>) {
        let ago = time.map(|time| self.at.saturating_duration_since(time).as_secs_f64() * 1e3);
        self.member(name, &ago.map(|ago| self.timestamp - ago));
    }

    pub(super) fn object(&mut self, name: &str, write: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        let mut object = Object::begin(self.out, self.at, self.timestamp);
        write(&mut object);
        object.end();
    }

    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(',');
        }
        self.out.push_str(&Value::from(name).to_string());
        self.out.push(':');
    }
}
