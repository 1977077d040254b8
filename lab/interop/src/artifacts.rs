//! Where a failed test leaves what can be seen of it.

use std::fs;
use std::path::{Path, PathBuf};

/// An empty folder for the test `name`.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts").join(name);
    // It need not be there; if it cannot be made, the writing into it fails, and only that.
    let _ = fs::remove_dir_all(&folder);
    let _ = fs::create_dir_all(&folder);
    folder
}
