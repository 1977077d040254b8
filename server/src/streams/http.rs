//! Requests over HTTP/1.1, with TLS or without, each over a connection of its own: there are few of them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use hyper::client::conn::http1;
use hyper::http::header::{AUTHORIZATION, HOST, LOCATION, USER_AGENT};
use hyper::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::files::tls_configuration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of an answer.
const MOST: usize = 256 << 10;
/// How often one is sent elsewhere.
const REDIRECTS: usize = 3;

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    /// Who answered.
    pub(super) uri: Uri,
}

impl Answer {
    /// A header as text.
    pub(super) fn header(&self, name: impl hyper::http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What went wrong, in the server's words where it has some (RFC 9457).
    pub(super) fn problem(&self) -> String {
        let told: Option<serde_json::Value> = serde_json::from_str(&self.body).ok();
        let detail = told.as_ref().and_then(|told| told["detail"].as_str());
        // Of a stranger's text as much as a line holds.
        let detail =
            detail.map(|text| text.chars().filter(|letter| !letter.is_control()).take(300).collect());
        detail.unwrap_or_else(|| format!("it answers {}", self.status))
    }
}

/// Asks one server.
#[derive(Clone, Debug)]
pub(super) struct Client {
    token: Option<String>,
    insecure: bool,
}

impl Client {
    pub(super) fn new(token: Option<String>, insecure: bool) -> Self {
        Self { token, insecure }
    }

    /// Sends a request, and again where it is sent elsewhere (RFC 9725 §4.5); an error says what to do.
    pub(super) async fn ask(
        &self,
        method: Method,
        uri: &Uri,
        headers: &[(HeaderName, &str)],
        body: &str,
    ) -> Result<Answer, String> {
        let mut uri = uri.clone();
        let mut token = self.token.as_deref();
        for _ in 0..=REDIRECTS {
            let asked = self.ask_once(&method, &uri, (token, headers), body);
            let answer = tokio::time::timeout(PATIENCE, asked).await;
            let answer = answer.map_err(|_| format!("{uri} does not answer: try again later"))??;
            let is_elsewhere =
                matches!(answer.status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
            let Some(location) = answer.header(LOCATION).filter(|_| is_elsewhere) else { return Ok(answer) };
            let next = resolve(&uri, location).ok_or_else(|| format!("{uri} sends us nowhere"))?;
            // The token is for who was named.
            if next.authority() != uri.authority() {
                token = None;
            }
            uri = next;
        }
        Err(format!("{uri} sends us elsewhere again and again: name the right address"))
    }

    async fn ask_once(
        &self,
        method: &Method,
        uri: &Uri,
        (token, headers): (Option<&str>, &[(HeaderName, &str)]),
        body: &str,
    ) -> Result<Answer, String> {
        let mut request = Request::builder().method(method.clone());
        request = request.uri(uri.path_and_query().map_or("/", |path| path.as_str()));
        let authority = uri.authority().ok_or("the address names no host")?;
        request = request.header(HOST, authority.as_str()).header(USER_AGENT, "twocan");
        if let Some(token) = token {
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                .map_err(|_| "the token has letters in it that no token has: compare it")?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).map_err(|error| error.to_string())?;
        let is_tls = uri.scheme_str() == Some("https");
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let unreachable = |error: std::io::Error| format!("{authority}: {}", words(&error));
        let stream = TcpStream::connect((host, port)).await.map_err(unreachable)?;
        // Requests are short, and waited for.
        let _ = stream.set_nodelay(true);
        let mut answer = if is_tls {
            let name = ServerName::try_from(host.to_owned())
                .map_err(|_| format!("{host} is no name of a server"))?;
            let connector = TlsConnector::from(Arc::new(tls_configuration(self.insecure)?));
            exchange(connector.connect(name, stream).await.map_err(unreachable)?, request).await?
        } else {
            exchange(stream, request).await?
        };
        answer.uri = uri.clone();
        Ok(answer)
    }
}

async fn exchange(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    request: Request<Body>,
) -> Result<Answer, String> {
    let no_http = |error: hyper::Error| format!("no web server answers there ({error}): compare the address");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(no_http)?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(no_http)?;
    let (parts, body) = response.into_parts();
    let body = to_bytes(Body::new(body), MOST).await;
    connection.abort();
    let body = body.map_err(|_| "the answer is too long, or is cut off: compare the address".to_owned())?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Answer { status: parts.status, headers: parts.headers, body, uri: Uri::default() })
}

/// What is wrong, and what to do.
fn words(error: &std::io::Error) -> String {
    use rustls::Error::{InvalidCertificate, InvalidMessage};

    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let next = match tls {
        Some(InvalidCertificate(_)) => "if its certificate is self-made, add --insecure",
        Some(InvalidMessage(_)) => {
            "it speaks no TLS there; if that is how it should be, name it with http://"
        }
        _ if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            "nothing listens there; start a server with `twocan serve`, or name another with --server"
        }
        _ => "compare the address, and see whether this computer is online",
    };
    format!("{error}: {next}")
}

/// What an address means that may leave out what is the same (RFC 3986 §5).
pub(super) fn resolve(base: &Uri, reference: &str) -> Option<Uri> {
    if reference.contains("://") {
        return reference.parse().ok();
    }
    let authority = base.authority()?;
    let scheme = base.scheme_str()?;
    if let Some(other) = reference.strip_prefix("//") {
        return format!("{scheme}://{other}").parse().ok();
    }
    let path = if reference.starts_with('/') {
        reference.to_owned()
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{reference}")
    };
    format!("{scheme}://{authority}{path}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_resolved() {
        let base: Uri = "https://a.example:8443/whip/room".parse().unwrap();
        let to = |reference: &str| resolve(&base, reference).map(|uri| uri.to_string());
        assert_eq!(to("/whip/room/7").as_deref(), Some("https://a.example:8443/whip/room/7"));
        assert_eq!(to("7").as_deref(), Some("https://a.example:8443/whip/7"));
        assert_eq!(to("//b.example/x").as_deref(), Some("https://b.example/x"));
        assert_eq!(to("http://b.example/x").as_deref(), Some("http://b.example/x"));
        assert_eq!(to("/ not"), None);
    }
}
