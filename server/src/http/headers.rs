//! Headers that every answer carries: what the pages may do in the browser, and what may be kept.

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::Response,
};

/// On every answer.
pub(super) async fn of_everything(request: Request, next: Next) -> Response {
    let policy = content_security_policy(request.headers());
    let mut response = next.run(request).await;
    let is_page =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A room's name is in the address, and nobody else's business.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    if is_page {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        headers.insert(
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        );
        headers.insert(HeaderName::from_static("permissions-policy"), HeaderValue::from_static(PERMISSIONS));
    }
    response
}

/// On the answers of the API: always fresh, and credentials are in some of them.
pub(super) async fn of_api(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What a call needs of the browser, for our own pages; what it does not need, for nobody.
const PERMISSIONS: &str = "camera=(self), microphone=(self), display-capture=(self), \
     speaker-selection=(self), screen-wake-lock=(self), fullscreen=(self), picture-in-picture=(self), \
     autoplay=(self), clipboard-write=(self), geolocation=(), payment=(), usb=(), serial=(), hid=(), \
     midi=(), accelerometer=(), gyroscope=(), magnetometer=(), browsing-topics=()";

/// Nothing from elsewhere, no inline script or style, in nobody's frame.
fn content_security_policy(request: &HeaderMap) -> HeaderValue {
    // `'self'` covers WebSockets in newer browsers only.
    let host = request.get(HOST).and_then(|host| host.to_str().ok()).filter(|host| is_plain(host));
    let sockets = host.map(|host| format!(" ws://{host} wss://{host}")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         media-src 'self' blob:; font-src 'self'; connect-src 'self'{sockets}; worker-src 'self'; \
         manifest-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Whether a `Host` is only the characters of names, addresses and ports.
fn is_plain(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !host.is_empty() && host.len() <= 255 && host.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy_for(host: &'static str) -> String {
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
        content_security_policy(&headers).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_host_cannot_widen_the_policy() {
        assert!(policy_for("localhost:8080").contains("connect-src 'self' ws://localhost:8080 wss://"));
        for host in ["evil; script-src *", "a b", "*", "x,y", ""] {
            assert!(policy_for(host).contains("connect-src 'self'; worker-src"), "{host}");
        }
    }
}
