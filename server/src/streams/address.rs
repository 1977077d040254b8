//! Where a stream goes, or comes from: a room of a twocan server, or any endpoint of WHIP or WHEP; and, behind a `#`, the code
//! by which its frames are encrypted from end to end.

use std::str::FromStr;

use hyper::http::Uri;

use crate::files::{Code, ServerAddress};

/// Bytes of a room's name.
const LONGEST_NAME: usize = 64;

/// What is typed as `--to`, or behind `record`: `ROOM`, `ROOM#CODE`, a link of the web app with or without a code, or an
/// endpoint's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamAddress {
    place: Place,
    /// What only the ends know. The server learns the room's name that is made of it, and nothing else.
    pub(super) code: Option<Code>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Room {
        name: String,
        /// Named by a link.
        server: Option<ServerAddress>,
    },
    Endpoint(Uri),
}

impl StreamAddress {
    /// The endpoint's address; a room's is that of `server`, unless a link has named another, under `folder`.
    pub(super) fn endpoint(&self, server: &ServerAddress, folder: &str) -> Result<Uri, String> {
        match &self.place {
            Place::Endpoint(uri) => Ok(uri.clone()),
            Place::Room { name, server: named } => {
                let room = self.code.as_ref().map_or_else(|| name.clone(), |code| code.keys().room);
                let address = format!("{}/{folder}/{}", named.as_ref().unwrap_or(server), escaped(&room));
                address.parse().map_err(|error| format!("{address} is no address: {error}"))
            }
        }
    }

    /// Where a browser watches; of rooms alone.
    pub(super) fn link(&self, server: &ServerAddress) -> Option<String> {
        let Place::Room { name, server: named } = &self.place else { return None };
        let code = self.code.as_ref().map(|code| format!("#{code}")).unwrap_or_default();
        Some(format!("{}/live/{}{code}", named.as_ref().unwrap_or(server), escaped(name)))
    }

    /// What files are named after.
    pub(super) fn name(&self) -> String {
        let name = match &self.place {
            Place::Room { name, .. } => name.as_str(),
            Place::Endpoint(uri) => uri.path().rsplit('/').find(|part| !part.is_empty()).unwrap_or("stream"),
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
        let (place, code) = match text.split_once('#') {
            Some((place, code)) => (place, Some(code.parse().map_err(|error| format!("{error}"))?)),
            None => (text, None),
        };
        Ok(Self { place: place.parse()?, code })
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains("://") {
            let is_name = !text.is_empty() && text.len() <= LONGEST_NAME && !text.contains('/');
            return if is_name {
                Ok(Self::Room { name: text.to_owned(), server: None })
            } else {
                Err("write a room's name, of 1 to 64 bytes, its link, or an address such as https://call.example.org/whip/ROOM"
                    .to_owned())
            };
        }
        let advice = "write a room's link, such as https://call.example.org/live/ROOM, or an address such as \
                      https://call.example.org/whip/ROOM";
        let uri: Uri = text.parse().map_err(|_| advice.to_owned())?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let authority = uri.authority().map(hyper::http::uri::Authority::as_str).unwrap_or_default();
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        if !is_web || !has_host || authority.contains('@') {
            return Err(advice.to_owned());
        }
        let room = ["/r/", "/live/"].iter().find_map(|folder| uri.path().strip_prefix(folder));
        let Some(room) = room.filter(|room| !room.is_empty() && !room.contains('/')) else {
            return Ok(Self::Endpoint(uri));
        };
        let server = format!("{}://{authority}", uri.scheme_str().unwrap_or("https")).parse()?;
        let name = plain(room).ok_or(advice)?;
        Ok(Self::Room { name, server: Some(server) })
    }
}

/// A path's segment (RFC 3986 §3.3).
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// And back (RFC 3986 §2.1).
fn plain(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit()? << 4 | digit()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "k3m9x-7qv2t-h4n80-2wx1z";

    fn endpoint(text: &str) -> Result<String, String> {
        let server: ServerAddress = "https://call.example.org".parse().unwrap();
        let address: StreamAddress = text.parse()?;
        address.endpoint(&server, "whip").map(|uri| uri.to_string())
    }

    #[test]
    fn rooms_and_endpoints_are_told_apart() {
        assert_eq!(endpoint("my room").as_deref(), Ok("https://call.example.org/whip/my%20room"));
        assert_eq!(endpoint("http://a.example:81/x?y=1").as_deref(), Ok("http://a.example:81/x?y=1"));
        for wrong in ["", "a/b", "ftp://a/b", "https://u@a/b", "https:///b", &"a".repeat(65)] {
            assert!(wrong.parse::<StreamAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_link_names_its_server() {
        for link in ["http://a.example:81/live/my%20room", "http://a.example:81/r/my%20room"] {
            assert_eq!(endpoint(link).as_deref(), Ok("http://a.example:81/whip/my%20room"), "{link}");
        }
        assert!(endpoint("https://a.example/live/%zz").is_err());
        assert_eq!(endpoint("https://a.example/live/").as_deref(), Ok("https://a.example/live/"));
    }

    #[test]
    fn a_code_hides_the_name() {
        let sealed = "/whip/sealed-288b550e40df8b2587b11ef198deaca9";
        assert_eq!(endpoint(&format!("show#{CODE}")), Ok(format!("https://call.example.org{sealed}")));
        let link = format!("http://a.example/live/show#{CODE}");
        assert_eq!(endpoint(&link), Ok(format!("http://a.example{sealed}")));
        let server = "https://call.example.org".parse().unwrap();
        let address: StreamAddress = link.parse().unwrap();
        assert_eq!(address.link(&server).as_deref(), Some(link.as_str()));
        assert_eq!(address.name(), "show");
        assert!("show#k3m9x".parse::<StreamAddress>().unwrap_err().contains("20 letters"));
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
