//! Which pages may open the signaling WebSocket: our own, and those the operator names. Browsers send
//! `Origin` (RFC 6454); other programs may leave it out.

use axum::http::{
    HeaderMap,
    header::{HOST, ORIGIN},
};

/// The option `--allow-origin`.
#[derive(Clone, Debug)]
pub(crate) struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    /// Each as a browser writes it (`https://example.org`), or `*` for all.
    pub(crate) fn new(origins: impl IntoIterator<Item = String>) -> Self {
        let normalised = |origin: String| origin.trim_end_matches('/').to_ascii_lowercase();
        Self(origins.into_iter().map(normalised).collect())
    }

    pub(super) fn admits(&self, request: &HeaderMap) -> bool {
        let Some(origin) = request.get(ORIGIN) else { return true };
        let Ok(origin) = origin.to_str().map(str::to_ascii_lowercase) else { return false };
        let own = request.get(HOST).and_then(|host| host.to_str().ok());
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.zip(own).is_some_and(|(authority, own)| authority.eq_ignore_ascii_case(own))
            || self.0.iter().any(|allowed| *allowed == origin || allowed == "*")
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn admits(allowed: &[&str], host: &'static str, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        AllowedOrigins::new(allowed.iter().map(|text| (*text).to_owned())).admits(&headers)
    }

    #[test]
    fn our_own_pages_and_programs_without_an_origin() {
        assert!(admits(&[], "localhost:8080", Some("http://localhost:8080")));
        assert!(admits(&[], "Talk.example", Some("https://talk.example")));
        assert!(admits(&[], "localhost:8080", None));
    }

    #[test]
    fn nobody_else() {
        for origin in [
            "https://evil.example",
            "http://localhost:8081",
            "http://localhost",
            "null",
            "localhost:8080",
            "",
        ] {
            assert!(!admits(&[], "localhost:8080", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn those_the_operator_names() {
        let allowed = ["https://shop.example/"];
        assert!(admits(&allowed, "talk.example", Some("https://shop.example")));
        assert!(!admits(&allowed, "talk.example", Some("http://shop.example")));
        assert!(admits(&["*"], "talk.example", Some("https://anyone.example")));
    }
}
