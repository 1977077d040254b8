//! The web app's files: in the binary, or in a folder while somebody works on them.

use std::{borrow::Cow, path::PathBuf};

use aws_lc_rs::digest;
use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::Response,
};
use rust_embed::RustEmbed;

/// The folder `web/`, without what only its checks need.
#[derive(RustEmbed)]
#[folder = "../web"]
#[include = "*.html"]
#[include = "*.js"]
#[include = "*.css"]
#[include = "*.svg"]
#[include = "*.png"]
#[include = "*.ico"]
#[include = "*.webmanifest"]
#[include = "*.woff2"]
#[include = "*.ogg"]
#[include = "*.json"]
#[exclude = "node_modules/*"]
#[exclude = "package*.json"]
#[exclude = "tsconfig.json"]
#[exclude = "tests/*"]
struct Embedded;

/// Where the files come from.
#[derive(Clone, Debug)]
pub(crate) enum WebApp {
    /// From the binary.
    Embedded,
    /// From disk, read anew for every request.
    Folder(PathBuf),
}

impl WebApp {
    /// The answer with the file at `path` (without a leading slash), if there is one.
    pub(super) async fn file(&self, path: &str, request: &HeaderMap) -> Option<Response> {
        let contents = self.read(path).await?;
        let tag = entity_tag(&contents);
        let mut response = if is_current(request, &tag) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            let body = match contents {
                Cow::Borrowed(bytes) => Body::from(bytes),
                Cow::Owned(bytes) => Body::from(bytes),
            };
            let mut response = Response::new(body);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
            response
        };
        if let Ok(tag) = HeaderValue::try_from(tag) {
            response.headers_mut().insert(ETAG, tag);
        }
        Some(response)
    }

    async fn read(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        if !is_inside(path) {
            return None;
        }
        match self {
            Self::Embedded => Embedded::get(path).map(|file| file.data),
            Self::Folder(folder) => tokio::fs::read(folder.join(path)).await.ok().map(Cow::Owned),
        }
    }
}

/// Whether a path stays inside the folder and names nothing hidden.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', '\0', ':'])
        && path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}

/// A strong validator: equal tags, equal bytes.
fn entity_tag(contents: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, contents);
    let hex: String = hash.as_ref()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// RFC 9110 §13.1.2: weak comparison, as a list or `*`.
fn is_current(request: &HeaderMap, tag: &str) -> bool {
    request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
    })
}

/// By the name's ending; with `nosniff`, what is not known here is a download.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("ogg") => "audio/ogg",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_out_of_the_folder() {
        for bad in
            ["", "/etc/passwd", "../Cargo.toml", "a/../../b", "a//b", ".git/config", "a\\..\\b", "c:/x"]
        {
            assert!(!is_inside(bad), "{bad}");
        }
        for good in ["index.html", "js/call.js", "a/b/c.d.js"] {
            assert!(is_inside(good), "{good}");
        }
    }

    #[test]
    fn a_browser_that_has_the_file_is_told_so() {
        let headers = |value| HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(value))]);
        for same in ["\"ab\"", "W/\"ab\"", "\"xy\", \"ab\"", "*"] {
            assert!(is_current(&headers(same), "\"ab\""), "{same}");
        }
        for other in ["\"abc\"", "ab", ""] {
            assert!(!is_current(&headers(other), "\"ab\""), "{other}");
        }
    }
}
