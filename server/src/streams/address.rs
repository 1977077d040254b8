//! Where a stream goes, or comes from: a room of a twocan server, or any endpoint of WHIP or WHEP.

use std::str::FromStr;

use hyper::http::Uri;

use crate::files::ServerAddress;

/// Bytes of a room's name.
const LONGEST_NAME: usize = 64;

/// What is typed as `--to`, or behind `record`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StreamAddress {
    Room(String),
    Endpoint(Uri),
}

impl StreamAddress {
    /// The endpoint's address; a room's is that of `server`, under `folder`.
    pub(super) fn endpoint(&self, server: &ServerAddress, folder: &str) -> Result<Uri, String> {
        match self {
            Self::Endpoint(uri) => Ok(uri.clone()),
            Self::Room(room) => {
                let address = format!("{server}/{folder}/{}", escaped(room));
                address.parse().map_err(|error| format!("{address} is no address: {error}"))
            }
        }
    }

    /// What files are named after.
    pub(super) fn name(&self) -> String {
        let name = match self {
            Self::Room(room) => room.as_str(),
            Self::Endpoint(uri) => uri.path().rsplit('/').find(|part| !part.is_empty()).unwrap_or("stream"),
        };
        // Some are no part of a file's name anywhere.
        let is_plain = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
        let name: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
        let name = name.trim_start_matches('.');
        if name.is_empty() { "stream".to_owned() } else { name.to_owned() }
    }
}

impl FromStr for StreamAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains("://") {
            let is_name = !text.is_empty() && text.len() <= LONGEST_NAME && !text.contains('/');
            return if is_name {
                Ok(Self::Room(text.to_owned()))
            } else {
                Err("write a room's name, of 1 to 64 bytes, or an address such as https://call.example.org/whip/ROOM"
                    .to_owned())
            };
        }
        let advice = "write an address such as https://call.example.org/whip/ROOM";
        let uri: Uri = text.parse().map_err(|_| advice.to_owned())?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        if is_web && has_host && !has_user { Ok(Self::Endpoint(uri)) } else { Err(advice.to_owned()) }
    }
}

/// A path's segment (RFC 3986 §3.3).
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_and_endpoints_are_told_apart() {
        let server: ServerAddress = "https://call.example.org".parse().unwrap();
        let endpoint = |text: &str| {
            let address: StreamAddress = text.parse()?;
            address.endpoint(&server, "whip").map(|uri| uri.to_string())
        };
        assert_eq!(endpoint("my room").as_deref(), Ok("https://call.example.org/whip/my%20room"));
        assert_eq!(endpoint("http://a.example:81/x?y=1").as_deref(), Ok("http://a.example:81/x?y=1"));
        for wrong in ["", "a/b", "ftp://a/b", "https://u@a/b", "https:///b", &"a".repeat(65)] {
            assert!(wrong.parse::<StreamAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn files_are_named_after_rooms() {
        let name = |text: &str| text.parse::<StreamAddress>().unwrap().name();
        assert_eq!(name("my room"), "my_room");
        assert_eq!(name("..\\x:y"), "_x_y");
        assert_eq!(name("https://a.example/whep/show"), "show");
        assert_eq!(name("https://a.example"), "stream");
        assert_eq!(name(".."), "stream");
    }
}
