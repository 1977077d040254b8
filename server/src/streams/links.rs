//! STUN and TURN servers, as an answer's `Link` headers name them (RFC 9725 §4.6, RFC 8288).

use twocan::IceServer;

/// Servers that are taken, at most.
const MOST: usize = 16;

/// The servers that headers name.
pub(super) fn ice_servers<'a>(headers: impl Iterator<Item = &'a str>) -> Vec<IceServer> {
    headers.flat_map(split).filter_map(|link| server(&link)).take(MOST).collect()
}

/// The links of a header: commas part them, but for those between brackets and quotes.
fn split(header: &str) -> Vec<String> {
    let (mut links, mut quoted, mut bracketed) = (vec![String::new()], false, false);
    for letter in header.chars() {
        match letter {
            '"' => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            ',' if !quoted && !bracketed => {
                links.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(link) = links.last_mut() {
            link.push(letter);
        }
    }
    links
}

fn server(link: &str) -> Option<IceServer> {
    let (url, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let parameter = |name: &str| {
        // No value that is of use here has a semicolon in it.
        parameters.split(';').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    if !parameter("rel")?.eq_ignore_ascii_case("ice-server") {
        return None;
    }
    let server = match parameter("username").zip(parameter("credential")) {
        Some((username, credential)) => IceServer::turn(url, username, credential),
        None => IceServer::stun(url),
    };
    // One that cannot be used would spoil those that can.
    server.parse().is_ok().then_some(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_with_their_credentials() {
        let headers = [
            r#"<stun:stun.example.org>; rel="ice-server""#,
            r#"<turn:turn.example.org:3478?transport=udp>; rel="ice-server"; username="a,b"; credential="c=d"; credential-type="password", <turns:turn.example.org>; rel=ice-server; username="u"; credential="p""#,
            r#"<https://a.example>; rel="next""#,
            "<nonsense",
            r#"<turn:no.credentials>; rel="ice-server""#,
        ];
        let servers = ice_servers(headers.into_iter());
        let all: Vec<(&str, &str, &str)> =
            servers.iter().map(|one| (&one.urls[0][..], &one.username[..], &one.credential[..])).collect();
        assert_eq!(
            all,
            [
                ("stun:stun.example.org", "", ""),
                ("turn:turn.example.org:3478?transport=udp", "a,b", "c=d"),
                ("turns:turn.example.org", "u", "p"),
            ]
        );
    }
}
