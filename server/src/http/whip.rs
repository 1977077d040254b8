//! WHIP and WHEP: media into a room and out of it over HTTP (RFC 9725, draft-ietf-wish-whep).
//!
//! `POST /whip/ROOM` with an offer answers with a description and where the session is; `PATCH` there brings candidates or
//! restarts ICE; `DELETE` ends it. `/whep/ROOM` is the same for those who watch.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, CONTENT_TYPE, ETAG, IF_MATCH, LINK, LOCATION, RETRY_AFTER,
            WWW_AUTHENTICATE,
        },
    },
    response::{IntoResponse, Response},
    routing::{MethodRouter, post},
};
use serde_json::json;

use super::token;
use super::{Site, answers::host};
use crate::clock;
use crate::media::{self, ConnectionId, Refusal, Role};

/// What offers and answers are.
const SDP: &str = "application/sdp";
/// What candidates that follow are.
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
/// Bytes of a body.
const MOST: usize = 256 << 10;
/// Bytes of a room's name.
const LONGEST_NAME: usize = 64;

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// `/whip/ROOM` and `/whep/ROOM`.
pub(super) fn endpoint(role: Role) -> MethodRouter<Arc<Site>> {
    post(move |site, room, headers, body| offer(role, site, room, headers, body))
        .options(move || async move { allowed("OPTIONS, POST", [(ACCEPT_POST, SDP)]) })
}

/// `/whip/ROOM/ID` and `/whep/ROOM/ID`.
pub(super) fn session(role: Role) -> MethodRouter<Arc<Site>> {
    axum::routing::patch(move |site, path, headers, body| patch(role, site, path, headers, body))
        .delete(move |site, path, headers| delete(role, site, path, headers))
        .options(move || async move { allowed("OPTIONS, PATCH, DELETE", [(ACCEPT_PATCH, FRAGMENT)]) })
}

async fn offer(
    role: Role,
    State(site): State<Arc<Site>>,
    Path(room): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refusal) = may(&site, role, &headers) {
        return *refusal;
    }
    let Some(media) = &site.media else { return off() };
    if !is_of(&headers, SDP) {
        return wrong_type(ACCEPT_POST, SDP);
    }
    if room.is_empty() || room.len() > LONGEST_NAME {
        return problem(StatusCode::BAD_REQUEST, "A room's name has 1 to 64 bytes.");
    }
    let sdp = match text(&body) {
        Ok(sdp) => sdp,
        Err(refusal) => return *refusal,
    };
    match media.offer(&room, role, token_of(&site, role).is_some(), sdp).await {
        Ok(answer) => {
            let folder = if role == Role::Publisher { "whip" } else { "whep" };
            let location = format!("/{folder}/{}/{:032x}", escaped(&room), answer.id.0);
            let mut response = (StatusCode::CREATED, answer.sdp).into_response();
            let headers_out = response.headers_mut();
            headers_out.insert(CONTENT_TYPE, HeaderValue::from_static(SDP));
            headers_out.insert(ACCEPT_PATCH, HeaderValue::from_static(FRAGMENT));
            put(headers_out, LOCATION, &location);
            put(headers_out, ETAG, &format!("\"{}\"", answer.tag));
            for link in site.ice.links(host(&headers), clock::now()) {
                if let Ok(link) = HeaderValue::try_from(link) {
                    headers_out.append(LINK, link);
                }
            }
            open_to_all(response)
        }
        Err(refusal) => refused(&refusal),
    }
}

async fn patch(
    role: Role,
    State(site): State<Arc<Site>>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (media, id) = match entrance(&site, role, &headers, &id) {
        Ok(known) => known,
        Err(refusal) => return *refusal,
    };
    if !is_of(&headers, FRAGMENT) {
        return wrong_type(ACCEPT_PATCH, FRAGMENT);
    }
    let fragment = match text(&body) {
        Ok(fragment) => fragment,
        Err(refusal) => return *refusal,
    };
    let tag = headers.get(IF_MATCH).and_then(|tag| tag.to_str().ok());
    let tag = tag.map(|tag| tag.trim_matches('"').to_owned());
    match media.patch(id, tag, fragment).await {
        Ok(None) => open_to_all(StatusCode::NO_CONTENT.into_response()),
        Ok(Some(answer)) => {
            let mut response = (StatusCode::OK, answer.sdp).into_response();
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(FRAGMENT));
            put(response.headers_mut(), ETAG, &format!("\"{}\"", answer.tag));
            open_to_all(response)
        }
        Err(refusal) => refused(&refusal),
    }
}

async fn delete(
    role: Role,
    State(site): State<Arc<Site>>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let (media, id) = match entrance(&site, role, &headers, &id) {
        Ok(known) => known,
        Err(refusal) => return *refusal,
    };
    match media.close(id).await {
        true => open_to_all(StatusCode::OK.into_response()),
        false => refused(&Refusal::Unknown),
    }
}

/// What a request about a session needs, or why there is nothing for it.
fn entrance<'a>(
    site: &'a Site,
    role: Role,
    headers: &HeaderMap,
    id: &str,
) -> Result<(&'a media::Handle, ConnectionId), Box<Response>> {
    may(site, role, headers)?;
    let media = site.media.as_deref().ok_or_else(|| Box::new(off()))?;
    let id = id_of(id).ok_or_else(|| Box::new(refused(&Refusal::Unknown)))?;
    Ok((media, id))
}

/// RFC 9725 §4.7: whoever has the token, where there is one.
fn may(site: &Site, role: Role, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let Some(wanted) = token_of(site, role) else { return Ok(()) };
    if token::is_shown(headers, wanted) {
        return Ok(());
    }
    let mut response = problem(
        StatusCode::UNAUTHORIZED,
        "Send the header `Authorization: Bearer TOKEN` with this server's token.",
    );
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    Err(Box::new(response))
}

fn token_of(site: &Site, role: Role) -> Option<&String> {
    match role {
        Role::Publisher => site.publish_token.as_ref(),
        Role::Viewer => site.watch_token.as_ref(),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::Description(_) | Refusal::Fragment(_) => StatusCode::BAD_REQUEST,
        Refusal::Codecs => StatusCode::NOT_ACCEPTABLE,
        Refusal::Nobody | Refusal::Unknown => StatusCode::NOT_FOUND,
        Refusal::Locked => StatusCode::FORBIDDEN,
        Refusal::Taken => StatusCode::CONFLICT,
        Refusal::OtherSession => StatusCode::PRECONDITION_FAILED,
        Refusal::Full | Refusal::Stopping => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = problem(status, &refusal.to_string());
    if matches!(refusal, Refusal::Nobody | Refusal::Full | Refusal::Stopping) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("3"));
    }
    response
}

fn off() -> Response {
    problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "This server forwards no media: it was started with --media off.",
    )
}

fn wrong_type(accept: HeaderName, wanted: &'static str) -> Response {
    let mut response = problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, &format!("The body must be {wanted}."));
    response.headers_mut().insert(accept, HeaderValue::from_static(wanted));
    response
}

/// RFC 9457.
fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({ "title": title, "status": status.as_u16(), "detail": detail });
    let kind = (CONTENT_TYPE, "application/problem+json");
    open_to_all((status, [kind], body.to_string()).into_response())
}

/// An answer to OPTIONS (RFC 9725 §4.2, the Fetch standard §3.2.2).
fn allowed(methods: &'static str, more: [(HeaderName, &'static str); 1]) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(methods));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    let names = "authorization, content-type, if-match";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(names));
    for (name, value) in more {
        headers.insert(name, HeaderValue::from_static(value));
    }
    open_to_all(response)
}

/// Pages from anywhere may stream: who may is the token's to say.
fn open_to_all(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let names = "location, link, etag, accept-patch, accept-post, retry-after";
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(names));
    response
}

fn is_of(headers: &HeaderMap, wanted: &str) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted))
}

fn text(body: &Bytes) -> Result<String, Box<Response>> {
    if body.len() > MOST {
        return Err(Box::new(problem(StatusCode::PAYLOAD_TOO_LARGE, "The body has more than 256 KiB.")));
    }
    let text = std::str::from_utf8(body);
    text.map(ToOwned::to_owned)
        .map_err(|_| Box::new(problem(StatusCode::BAD_REQUEST, "The body is not UTF-8.")))
}

fn id_of(text: &str) -> Option<ConnectionId> {
    let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(text, 16).ok().filter(|_| is_hex).map(ConnectionId)
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
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
    fn names_are_escaped_for_paths() {
        assert_eq!(escaped("my room/ü"), "my%20room%2F%C3%BC");
    }

    #[test]
    fn a_session_has_32_digits() {
        assert_eq!(id_of("000000000000000000000000000000ff"), Some(ConnectionId(255)));
        assert_eq!(id_of("ff"), None);
        assert_eq!(id_of("+00000000000000000000000000000ff"), None);
    }
}
