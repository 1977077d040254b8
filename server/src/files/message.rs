//! What the two ends tell each other: on the control channel (`docs/files.md`), and sealed through the server while that
//! is not open yet (`docs/signaling.md`). Whatever arrives was written by another's machine: it parses, or is dropped.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::digest::{Digest, to_hex};

/// Longer messages are dropped unread, bytes.
pub(crate) const LONGEST: usize = 64 << 10;

/// The version of the protocol.
pub(crate) const VERSION: u32 = 1;

/// Beyond this JavaScript does not count.
const LARGEST_COUNT: u64 = (1 << 53) - 1;

/// What a person is shown of another's words, characters.
const LONGEST_REASON: usize = 200;

/// The longest word that names a connection, and the longest name, bytes.
const LONGEST_WORD: usize = 256;

/// Names a file, or several that were offered together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(pub(crate) [u8; 16]);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl Id {
    /// 32 hexadecimal digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        from_hex(text).map(Self)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("an id has 32 hexadecimal digits"))
    }
}

/// A message about files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum FileMessage {
    /// Several files are going to be offered: one question is enough.
    #[serde(rename = "file-batch")]
    Batch {
        id: Id,
        version: u32,
        #[serde(deserialize_with = "count")]
        files: u64,
        /// And folders that hold nothing.
        #[serde(default, skip_serializing_if = "is_zero")]
        folders: u64,
        #[serde(deserialize_with = "count")]
        bytes: u64,
        /// What to call it: the folder, or the only file.
        #[serde(default)]
        name: String,
    },
    /// A folder, for those that hold nothing.
    #[serde(rename = "file-folder")]
    Folder { id: Id, batch: Id, path: String },
    /// A file.
    #[serde(rename = "file-offer")]
    Offer(Offer),
    /// Yes: to a file, from `offset` on; to a batch.
    #[serde(rename = "file-accept")]
    Accept {
        id: Id,
        #[serde(deserialize_with = "count")]
        offset: u64,
        /// How far the sender may be ahead of what is stored, bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<u64>,
    },
    /// No.
    #[serde(rename = "file-decline")]
    Decline { id: Id },
    /// So much is stored.
    #[serde(rename = "file-progress")]
    Progress {
        id: Id,
        #[serde(deserialize_with = "count")]
        received: u64,
    },
    /// That was all of it.
    #[serde(rename = "file-end")]
    End {
        id: Id,
        #[serde(serialize_with = "write_digest", deserialize_with = "read_digest")]
        digest: Digest,
    },
    /// All is stored, and the digest is equal.
    #[serde(rename = "file-done")]
    Done { id: Id },
    /// No more of it.
    #[serde(rename = "file-cancel")]
    Cancel {
        id: Id,
        #[serde(default)]
        reason: String,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's own signature")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A file that is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offer {
    pub(crate) id: Id,
    pub(crate) version: u32,
    /// The last part of its path.
    pub(crate) name: String,
    #[serde(deserialize_with = "count")]
    pub(crate) size: u64,
    /// Where it lies in a folder that is sent: parts with `/` between them, the last one the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// The batch that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) batch: Option<Id>,
    /// When it was changed, ms since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<u64>,
}

/// A message on the control channel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Control {
    /// What they are called.
    State {
        name: Option<String>,
    },
    /// They leave.
    Bye,
    /// Signaling while the server is gone.
    Signal(Signal),
    File(FileMessage),
}

/// What two ends tell each other about one connection (`docs/signaling.md`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Signal {
    /// The sender's connection.
    pub(crate) connection: String,
    /// The receiver's, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hello: Option<Hello>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Description>,
    /// A candidate; `null`: no more come.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(crate) candidate: Option<Option<Candidate>>,
    /// Asks for a fresh connection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) restart: bool,
}

/// Who is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) role: Role,
}

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Has files.
    Send,
    /// Wants them.
    Receive,
    /// A page, that does both.
    Drop,
}

/// `RTCSessionDescriptionInit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) sdp: String,
}

/// `RTCIceCandidateInit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Candidate {
    #[serde(default)]
    pub(crate) candidate: String,
    #[serde(default)]
    pub(crate) sdp_mid: Option<String>,
    #[serde(default)]
    pub(crate) sdp_m_line_index: Option<u16>,
    #[serde(default)]
    pub(crate) username_fragment: Option<String>,
}

impl Signal {
    /// What was written, if it is one.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let is_word = |word: &str| !word.is_empty() && word.len() <= LONGEST_WORD;
        let signal: Self = serde_json::from_slice(bytes).ok()?;
        let well = is_word(&signal.connection) && signal.to.as_deref().is_none_or(is_word);
        well.then_some(signal)
    }

    /// As JSON. Plain structs into memory cannot fail.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Control {
    /// What was written, if it is one of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        match value.get("type")?.as_str()? {
            "state" => {
                let name = value.get("name").and_then(|name| name.as_str()).map(|name| shown(name.trim()));
                Some(Self::State { name: name.filter(|name| !name.is_empty()) })
            }
            "bye" => Some(Self::Bye),
            "signal" => Signal::parse(value.get("data")?.to_string().as_bytes()).map(Self::Signal),
            kind if kind.starts_with("file-") => serde_json::from_value(value).ok().map(Self::File),
            _ => None,
        }
    }

    /// As JSON.
    pub(crate) fn to_json(&self) -> String {
        let value = match self {
            Self::State { name } => serde_json::json!({
                "type": "state", "mic": false, "camera": false, "screen": false, "name": name,
            }),
            Self::Bye => serde_json::json!({ "type": "bye" }),
            Self::Signal(signal) => serde_json::json!({ "type": "signal", "data": signal }),
            Self::File(message) => return serde_json::to_string(message).unwrap_or_default(),
        };
        value.to_string()
    }
}

/// Another's words, for a terminal: without what would move its cursor or turn the text, and not endless.
pub(crate) fn shown(text: &str) -> String {
    let plain = text.chars().filter(|character| !is_unseen(*character));
    plain.take(LONGEST_REASON).collect()
}

/// Control characters, and those that are not seen but change what is: direction, joiners, line separators.
pub(crate) fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = u64::deserialize(deserializer)?;
    if value > LARGEST_COUNT { Err(de::Error::custom("a count is at most 2^53 - 1")) } else { Ok(value) }
}

/// `null` is something, nothing is not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Candidate>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn write_digest<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_hex(digest))
}

fn read_digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    let text = String::deserialize(deserializer)?;
    from_hex(&text).ok_or_else(|| de::Error::custom("a digest has 64 hexadecimal digits"))
}

/// Lower-case hexadecimal of exactly `N` bytes.
fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != 2 * N || !digits.iter().all(is_digit) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
