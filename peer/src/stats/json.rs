//! Just enough JSON (RFC 8259) to write a report.

use std::fmt::Write;
use std::time::{Duration, Instant};

/// An object that is being written.
pub(super) struct Object<'a> {
    out: &'a mut String,
    is_empty: bool,
    /// The moment of the report, and its time in milliseconds.
    at: Instant,
    timestamp: f64,
}

/// What a member may hold; nothing is left out.
pub(super) trait Value {
    fn is_present(&self) -> bool {
        true
    }
    fn write(&self, out: &mut String);
}

impl<'a> Object<'a> {
    pub(super) fn begin(out: &'a mut String, at: Instant, timestamp: f64) -> Self {
        out.push('{');
        Self { out, is_empty: true, at, timestamp }
    }

    pub(super) fn end(self) {
        self.out.push('}');
    }

    pub(super) fn member(&mut self, name: &str, value: &dyn Value) {
        if value.is_present() {
            self.name(name);
            value.write(self.out);
        }
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
        name.write(self.out);
        self.out.push(':');
    }
}

impl Value for str {
    fn write(&self, out: &mut String) {
        out.push('"');
        for character in self.chars() {
            match character {
                '"' | '\\' => out.extend(['\\', character]),
                // Writing to a string does not fail.
                '\0'..='\x1f' => drop(write!(out, "\\u{:04x}", u32::from(character))),
                _ => out.push(character),
            }
        }
        out.push('"');
    }
}

impl Value for &str {
    fn write(&self, out: &mut String) {
        (**self).write(out);
    }
}

impl Value for String {
    fn write(&self, out: &mut String) {
        self.as_str().write(out);
    }
}

impl<T: Value> Value for Option<T> {
    fn is_present(&self) -> bool {
        self.is_some()
    }

    fn write(&self, out: &mut String) {
        if let Some(value) = self {
            value.write(out);
        }
    }
}

/// A member that is there without a value, too.
pub(super) struct Nullable<'a>(pub(super) Option<&'a str>);

impl Value for Nullable<'_> {
    fn write(&self, out: &mut String) {
        match self.0 {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
}

/// In seconds.
impl Value for Duration {
    fn write(&self, out: &mut String) {
        self.as_secs_f64().write(out);
    }
}

macro_rules! plain {
    ($($kind:ty),*) => {
        $(impl Value for $kind {
            fn write(&self, out: &mut String) {
                // Writing to a string does not fail.
                let _ = write!(out, "{self}");
            }
        })*
    };
}

plain!(u16, u32, u64, f64, bool);
