//! Where the server keeps what must survive its restart: its secret and its certificates.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use crate::config::ConfigError;

/// The folder, or nothing where it cannot be written: then secrets live in memory.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(Option<PathBuf>);

/// Bytes of the server's secret.
const SECRET_BYTES: usize = 32;

impl DataDir {
    /// Makes the folder if need be.
    pub(crate) fn open(chosen: Option<&Path>) -> Self {
        let Some(folder) = chosen.map(Path::to_owned).or_else(usual_folder) else {
            tracing::warn!(
                "there is no home for secrets: name one with --data-dir, or clients are strangers after a restart"
            );
            return Self(None);
        };
        match create_private_folder(&folder).and_then(|()| check_writable(&folder)) {
            Ok(()) => Self(Some(folder)),
            Err(error) => {
                tracing::warn!(
                    "cannot write to {}: {error}; secrets stay in memory and clients are strangers after a restart",
                    folder.display()
                );
                Self(None)
            }
        }
    }

    /// A file or folder in it.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.0.as_ref().map(|folder| folder.join(name))
    }

    /// The secret from which all keys are derived: the kept one, or a new one.
    pub(crate) fn secret(&self) -> Result<[u8; SECRET_BYTES], ConfigError> {
        let Some(path) = self.path("secret") else { return random() };
        match fs::read_to_string(&path) {
            Ok(text) => parse_hex(text.trim()).ok_or_else(|| {
                ConfigError(format!(
                    "{} is damaged: remove it, and the server makes a new one",
                    path.display()
                ))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secret = random()?;
                let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
                match write_private(&path, &hex) {
                    Ok(()) => {}
                    Err(error) => tracing::warn!("cannot keep {}: {error}", path.display()),
                }
                Ok(secret)
            }
            Err(error) => Err(ConfigError(format!(
                "cannot read {}: {error}: give it to the user that runs the server, or choose another --data-dir",
                path.display()
            ))),
        }
    }
}

/// Writes a file that only this user may read, whole or not at all.
pub(crate) fn write_private(path: &Path, contents: &str) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    // Left over from a try that was interrupted, perhaps with another mode.
    let _ = fs::remove_file(&new);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(contents.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// Makes a folder that only this user may enter.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], ConfigError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| ConfigError("the system gives no random numbers: is /dev/urandom there?".into()))?;
    Ok(bytes)
}

fn usual_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    // systemd gives a list; the first is ours.
    if let Some(folders) = variable("STATE_DIRECTORY") {
        return std::env::split_paths(&folders).next();
    }
    variable("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".local/state")))
        .map(|folder| folder.join("twocan"))
}

fn check_writable(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    fs::write(&probe, [])?;
    fs::remove_file(&probe)
}

fn parse_hex(text: &str) -> Option<[u8; SECRET_BYTES]> {
    if text.len() != 2 * SECRET_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut secret = [0; SECRET_BYTES];
    for (at, byte) in secret.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_kept_from_others() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("state");
        let secret = DataDir::open(Some(&folder)).secret().unwrap();
        assert_eq!(DataDir::open(Some(&folder)).secret().unwrap(), secret);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&folder), 0o700);
            assert_eq!(mode(&folder.join("secret")), 0o600);
        }
        fs::write(folder.join("secret"), "nonsense").unwrap();
        let error = DataDir::open(Some(&folder)).secret().unwrap_err();
        assert!(error.0.contains("is damaged: remove it"), "{error}");
    }

    #[test]
    fn without_a_folder_secrets_stay_in_memory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let data = DataDir::open(Some(&file.path().join("below")));
        assert!(data.path("x").is_none());
        assert_ne!(data.secret().unwrap(), data.secret().unwrap());
    }
}
