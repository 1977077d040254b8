//! A certificate authority that speaks ACME (RFC 8555) as far as one order takes, and does ask the server whether a
//! domain is its own (TLS-ALPN-01, RFC 8737). Signatures, nonces and challenges are checked.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use aws_lc_rs::{digest, signature};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::{ServerConfig, crypto::aws_lc_rs::default_provider, pki_types::CertificateSigningRequestDer};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};
use tokio_rustls::TlsAcceptor;

/// The one domain that it knows.
pub(crate) const DOMAIN: &str = "talk.test";

/// The challenge's token.
const TOKEN: &str = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";

/// Where it may be asked, and what it has done.
pub(crate) struct Authority {
    address: SocketAddr,
    root: rcgen::Certificate,
    key: KeyPair,
    /// Where the domain leads, once that is known.
    domain_at: watch::Sender<Option<SocketAddr>>,
    /// Whether it gives certificates at all.
    open: AtomicBool,
    pub(crate) issued: AtomicUsize,
    pub(crate) refused: AtomicUsize,
    nonces: Mutex<HashSet<String>>,
    next_nonce: AtomicUsize,
    account: Mutex<Option<Account>>,
    order: Mutex<Order>,
}

/// The account's key.
struct Account {
    /// An uncompressed point.
    public: Vec<u8>,
    /// RFC 7638.
    thumbprint: String,
}

#[derive(Default)]
struct Order {
    /// Of the authorization: whether the challenge was met, once it has been tried.
    met: Option<bool>,
    /// PEM.
    certificate: Option<String>,
}

impl Authority {
    /// Serves HTTPS on the loopback until the test ends.
    pub(crate) async fn start() -> Arc<Self> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = params.self_signed(&key).unwrap();
        let own_key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let own = own.signed_by(&own_key, &root, &key).unwrap();
        let tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], own_key.serialize_der().try_into().unwrap())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            root,
            key,
            domain_at: watch::Sender::new(None),
            open: AtomicBool::new(true),
            issued: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            nonces: Mutex::default(),
            next_nonce: AtomicUsize::new(0),
            account: Mutex::default(),
            order: Mutex::default(),
        });
        let router = Router::new()
            .route("/directory", get(directory))
            .route("/nonce", get(async || StatusCode::NO_CONTENT))
            .route("/{what}", post(request))
            .layer(axum::middleware::map_response_with_state(Arc::clone(&authority), with_nonce))
            .with_state(Arc::clone(&authority));
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, router) = (acceptor.clone(), router.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = TowerToHyperService::new(router);
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        authority
    }

    /// What `--acme-directory` takes.
    pub(crate) fn directory(&self) -> String {
        self.url("directory")
    }

    /// The certificate that all of its own are signed with, PEM.
    pub(crate) fn root(&self) -> String {
        self.root.pem()
    }

    /// Now the domain leads there.
    pub(crate) fn domain_leads_to(&self, server: SocketAddr) {
        self.domain_at.send_replace(Some(server));
    }

    /// From now on it gives certificates, or refuses every order.
    pub(crate) fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::SeqCst);
    }

    fn url(&self, what: &str) -> String {
        format!("https://localhost:{}/{what}", self.address.port())
    }

    /// RFC 8555 §6: the account's signature over this URL and a nonce of ours that nobody has used.
    fn open_request(&self, what: &str, body: &[u8]) -> Result<Vec<u8>, &'static str> {
        let jws: Value = serde_json::from_slice(body).map_err(|_| "no JWS")?;
        let field = |name: &str| jws[name].as_str().ok_or("no JWS");
        let bytes = |text: &str| BASE64URL.decode(text).map_err(|_| "no base64url");
        let protected: Value =
            serde_json::from_slice(&bytes(field("protected")?)?).map_err(|_| "no protected header")?;
        if protected["alg"] != "ES256" || protected["url"] != self.url(what) {
            return Err("the wrong algorithm or URL");
        }
        let nonce = protected["nonce"].as_str().ok_or("no nonce")?;
        if !self.nonces.lock().unwrap().remove(nonce) {
            return Err("a nonce that is none of ours, or used");
        }
        let mut account = self.account.lock().unwrap();
        if what == "account" {
            *account = Some(Account::read(&protected["jwk"]).ok_or("no key")?);
        } else if protected["kid"] != self.url("account/1") {
            return Err("no account");
        }
        let account = account.as_ref().ok_or("no account yet")?;
        let signed = format!("{}.{}", field("protected")?, field("payload")?);
        signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, &account.public)
            .verify(signed.as_bytes(), &bytes(field("signature")?)?)
            .map_err(|_| "a wrong signature")?;
        bytes(field("payload")?)
    }

    fn order(&self) -> Value {
        let order = self.order.lock().unwrap();
        let status = match (order.met, &order.certificate) {
            (_, Some(_)) => "valid",
            (Some(true), None) => "ready",
            (Some(false), None) => "invalid",
            (None, None) => "pending",
        };
        json!({
            "status": status, "authorizations": [self.url("authorization")], "finalize": self.url("finalize"),
            "certificate": self.url("certificate"),
        })
    }

    fn authorization(&self) -> Value {
        let status = match self.order.lock().unwrap().met {
            None => "pending",
            Some(true) => "valid",
            Some(false) => "invalid",
        };
        json!({
            "status": status, "identifier": {"type": "dns", "value": DOMAIN},
            "challenges": [
                {"type": "http-01", "url": self.url("http"), "token": TOKEN, "status": status},
                {"type": "tls-alpn-01", "url": self.url("challenge"), "token": TOKEN, "status": status},
            ],
        })
    }

    /// RFC 8737 §3: the domain's server shows a certificate of its own making for the domain, with the digest
    /// of the key authorization in it.
    async fn try_challenge(&self) -> bool {
        let mut domain_at = self.domain_at.subscribe();
        let Some(server) = *domain_at.wait_for(Option::is_some).await.unwrap() else { return false };
        let thumbprint = self.account.lock().unwrap().as_ref().unwrap().thumbprint.clone();
        let expected = digest::digest(&digest::SHA256, format!("{TOKEN}.{thumbprint}").as_bytes());
        let Ok(shown) = crate::tls::challenge_certificate(server, DOMAIN).await else { return false };
        // id-pe-acmeIdentifier, critical, an OCTET STRING in an OCTET STRING.
        let identifier = [
            &[
                0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1f, 0x01, 0x01, 0xff, 0x04, 0x22,
                0x04, 0x20,
            ],
            expected.as_ref(),
        ]
        .concat();
        let has = |bytes: &[u8]| shown.windows(bytes.len()).any(|window| window == bytes);
        has(&identifier) && has(DOMAIN.as_bytes()) && self.open.load(Ordering::SeqCst)
    }

    fn sign(&self, csr: &str) -> Option<String> {
        let der = CertificateSigningRequestDer::from(BASE64URL.decode(csr).ok()?);
        let request = CertificateSigningRequestParams::from_der(&der).ok()?;
        let certificate = request.signed_by(&self.root, &self.key).ok()?;
        Some(certificate.pem() + &self.root.pem())
    }
}

impl Account {
    fn read(jwk: &Value) -> Option<Self> {
        let (x, y) = (jwk["x"].as_str()?, jwk["y"].as_str()?);
        let public = [&[4], &BASE64URL.decode(x).ok()?[..], &BASE64URL.decode(y).ok()?[..]].concat();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let thumbprint = BASE64URL.encode(digest::digest(&digest::SHA256, canonical.as_bytes()));
        Some(Self { public, thumbprint })
    }
}

async fn directory(State(authority): State<Arc<Authority>>) -> Json<Value> {
    let url = |what| authority.url(what);
    Json(json!({"newNonce": url("nonce"), "newAccount": url("account"), "newOrder": url("order")}))
}

async fn request(State(authority): State<Arc<Authority>>, Path(what): Path<String>, body: Bytes) -> Response {
    let payload = match authority.open_request(&what, &body) {
        Ok(payload) => payload,
        Err(why) => return (StatusCode::FORBIDDEN, why).into_response(),
    };
    let created = |at: &str, body: Value| {
        (StatusCode::CREATED, [("location", authority.url(at))], Json(body)).into_response()
    };
    match what.as_str() {
        "account" => created("account/1", json!({"status": "valid"})),
        "order" => {
            *authority.order.lock().unwrap() = Order::default();
            created("order-1", authority.order())
        }
        "order-1" => Json(authority.order()).into_response(),
        "authorization" => Json(authority.authorization()).into_response(),
        "challenge" => {
            let met = authority.try_challenge().await;
            authority.order.lock().unwrap().met = Some(met);
            authority.refused.fetch_add(usize::from(!met), Ordering::SeqCst);
            Json(authority.authorization()["challenges"][1].clone()).into_response()
        }
        "finalize" => {
            let payload: Value = serde_json::from_slice(&payload).unwrap_or_default();
            let signed = payload["csr"].as_str().and_then(|csr| authority.sign(csr));
            let ready = authority.order()["status"] == "ready";
            let Some(signed) = signed.filter(|_| ready) else { return StatusCode::FORBIDDEN.into_response() };
            authority.order.lock().unwrap().certificate = Some(signed);
            authority.issued.fetch_add(1, Ordering::SeqCst);
            Json(authority.order()).into_response()
        }
        "certificate" => {
            authority.order.lock().unwrap().certificate.clone().unwrap_or_default().into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Every answer brings one (RFC 8555 §6.5).
async fn with_nonce(State(authority): State<Arc<Authority>>, uri: Uri, response: Response) -> Response {
    let number = authority.next_nonce.fetch_add(1, Ordering::SeqCst);
    let nonce = format!("nonce{number}-{}", uri.path().len());
    let headers = HeaderMap::from_iter([(HeaderName::from_static("replay-nonce"), nonce.parse().unwrap())]);
    authority.nonces.lock().unwrap().insert(nonce);
    (headers, response).into_response()
}
