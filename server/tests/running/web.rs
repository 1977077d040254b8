//! Pages and files, and the headers around them.

use std::fs;

use tempfile::tempdir;

use crate::program::Program;

#[test]
fn every_address_opens_its_page() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    for path in [
        "/",
        "/r/tea",
        "/r/any%20name",
        "/random",
        "/random/chess",
        "/live",
        "/live/concert",
        "/send",
        "/send/box",
        "/check",
    ] {
        let answer = server.get(path, &[]);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert!(
            answer
                .header("permissions-policy")
                .contains("camera=(self), microphone=(self), display-capture=(self)")
        );
    }
    for path in
        ["/nothing", "/r/a/b", "/../Cargo.toml", "/.git/config", "/%2e%2e/Cargo.toml", "/package.json"]
    {
        let answer = server.get(path, &[]);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("<title>"), "{path}");
    }
}

#[test]
fn a_browser_that_has_a_file_gets_none_of_it_again() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let first = server.get("/", &[]);
    assert_eq!(first.header("cache-control"), "no-cache");
    let tag = first.header("etag").to_owned();
    let again = server.get("/", &[&format!("If-None-Match: {tag}")]);
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(again.header("etag"), tag);
}

#[test]
fn a_folder_instead_of_the_binary_s_own_files() {
    let data = tempdir().unwrap();
    let web = tempdir().unwrap();
    fs::write(web.path().join("index.html"), "<title>mine</title>").unwrap();
    fs::write(web.path().join("call.js"), "1").unwrap();
    let server = Program::start(&data, &["--web-dir", web.path().to_str().unwrap()]);
    assert_eq!(server.get("/", &[]).body, "<title>mine</title>");
    assert_eq!(server.get("/call.js", &[]).header("content-type"), "text/javascript; charset=utf-8");
    fs::write(web.path().join("index.html"), "<title>newer</title>").unwrap();
    assert_eq!(server.get("/", &[]).body, "<title>newer</title>");
    assert_eq!(server.get("/r/tea", &[]).status, 404);
}

#[test]
fn the_api_is_never_kept() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--stun-turn", "127.0.0.1:0", "--stun-alternate", "127.0.0.1:0"]);
    for path in ["/api/ice-servers", "/api/info", "/healthz", "/metrics"] {
        let answer = server.get(path, &[]);
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{path}");
    }
    let ice: serde_json::Value = serde_json::from_str(&server.get("/api/ice-servers", &[]).body).unwrap();
    let port = server.port_after("UDP ").port();
    assert_eq!(ice["iceServers"][1]["urls"][0], format!("turn:127.0.0.1:{port}?transport=udp"));
    let info: serde_json::Value = serde_json::from_str(&server.get("/api/info", &[]).body).unwrap();
    assert_eq!(info["stun"].as_array().unwrap().len(), 2);
    assert!(server.get("/metrics", &[]).body.contains("\ntwocan_relay_allocations 0\n"));
}
