//! Bearer tokens (RFC 6750 §2.1).

use axum::http::{HeaderMap, header::AUTHORIZATION};

/// Whether a request shows the token that is wanted. Takes a time that does not tell how much of it is right.
pub(super) fn is_shown(headers: &HeaderMap, wanted: &str) -> bool {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    given.is_some_and(|(_, token)| {
        aws_lc_rs::constant_time::verify_slices_are_equal(token.trim().as_bytes(), wanted.as_bytes()).is_ok()
    })
}
