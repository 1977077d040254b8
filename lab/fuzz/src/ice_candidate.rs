//! Reading a candidate and writing it again (RFC 8839 §5.1, RFC 8838 §9, RFC 6544 §4.5): it says the same.

use ice::{Candidate, Credentials, Foundation, Password, Ufrag};

/// A line of SDP: nobody's candidate is longer.
const LONGEST: usize = 4096;

pub(super) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(candidate) = text.parse::<Candidate>() {
        let written = candidate.to_string();
        assert_eq!(written.parse().as_ref(), Ok(&candidate), "{written}");
        assert!(!written.contains(['\r', '\n']), "one line stays one line");
        assert!((1..=256).contains(&candidate.component));
        assert!(candidate.extensions.len() <= text.len().min(LONGEST) / 2);
    }
    if let Ok(foundation) = text.parse::<Foundation>() {
        assert_eq!(foundation.as_str(), text);
    }
    if let Ok(ufrag) = text.parse::<Ufrag>() {
        assert_eq!(ufrag.as_str(), text);
        assert!(text.len() <= 256);
    }
    if let Ok(password) = text.parse::<Password>() {
        assert_eq!(password.as_str(), text);
        assert!(text.len() <= 256);
    }
    if let Some((ufrag, password)) = text.split_once(' ')
        && let Ok(credentials) = Credentials::new(ufrag, password)
    {
        assert_eq!((credentials.ufrag.as_str(), credentials.password.as_str()), (ufrag, password));
    }
}
