//! The files that are sent: found once, read block by block. All of it blocks.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::code::Keys;
use super::digest::LEAF;
use super::sending::Item;

/// More are not sent at once.
const MOST: usize = 250_000;

/// What is to be sent: what the receiver is told of each, and where it lies here.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) items: Vec<Item>,
    pub(crate) places: Vec<PathBuf>,
    /// What it is called all together.
    pub(crate) name: String,
    /// Links, sockets and the like, which are not sent.
    pub(crate) skipped: usize,
}

/// Why it cannot be sent.
#[derive(Debug)]
pub(crate) struct SourceError(pub(crate) String);

impl Source {
    /// Looks at all paths, and into folders. Links are followed where they are named, not inside folders.
    pub(crate) fn find(paths: &[PathBuf], keys: &Keys) -> Result<Self, SourceError> {
        let mut source = Self { items: Vec::new(), places: Vec::new(), name: String::new(), skipped: 0 };
        let mut names: Vec<String> = Vec::new();
        for path in paths {
            let unreadable = |error: io::Error| SourceError(words(path, &error));
            let place = path.canonicalize().map_err(unreadable)?;
            let name = place.file_name().map_or_else(|| "files".into(), |name| name.to_string_lossy());
            let name = (1..)
                .map(|number| super::path::numbered(&name, number))
                .find(|candidate| !names.contains(candidate))
                .unwrap_or_default();
            names.push(name.clone());
            source.add(&place, &name, keys)?;
        }
        source.name = match (&names[..], source.items.len()) {
            ([only], _) => only.clone(),
            (_, count) => format!("{count} files"),
        };
        if source.items.is_empty() {
            return Err(SourceError("there is nothing to send: name files or folders".to_owned()));
        }
        Ok(source)
    }

    fn add(&mut self, place: &Path, path: &str, keys: &Keys) -> Result<(), SourceError> {
        let unreadable = |error: io::Error| SourceError(words(place, &error));
        let metadata = fs::symlink_metadata(place).map_err(unreadable)?;
        if self.items.len() >= MOST {
            return Err(SourceError(format!("these are more than {MOST} files: pack them into an archive")));
        }
        let is_folder = metadata.is_dir();
        if is_folder {
            let mut entries =
                fs::read_dir(place).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(unreadable)?;
            entries.sort_by_key(fs::DirEntry::file_name);
            for entry in &entries {
                let name = entry.file_name();
                let Some(name) = name.to_str().filter(|name| !name.contains('\\')) else {
                    self.skipped += 1;
                    continue;
                };
                self.add(&entry.path(), &format!("{path}/{name}"), keys)?;
            }
            if !entries.is_empty() {
                return Ok(());
            }
        } else if !metadata.is_file() {
            self.skipped += 1;
            return Ok(());
        }
        let modified = modified(&metadata);
        let size = if is_folder { 0 } else { metadata.len() };
        let id = keys.file_id(path, size, modified);
        self.items.push(Item { id, path: path.to_owned(), size, modified, is_folder });
        self.places.push(place.to_owned());
        Ok(())
    }
}

fn words(path: &Path, error: &io::Error) -> String {
    let next = match error.kind() {
        io::ErrorKind::NotFound => "compare the name, and the folder that you are in",
        io::ErrorKind::PermissionDenied => "let yourself read it, or leave it out",
        _ => "leave it out, or mend it",
    };
    format!("{}: {error}: {next}", path.display())
}

/// When it was changed, ms since 1970.
fn modified(metadata: &fs::Metadata) -> u64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Reads a file whose size and time must stay what they were.
#[derive(Debug)]
pub(crate) struct Reader {
    file: File,
    size: u64,
    modified: u64,
    position: u64,
}

impl Reader {
    /// From the block on that `offset` lies in.
    pub(crate) fn open(place: &Path, size: u64, modified: u64, offset: u64) -> io::Result<Self> {
        let position = offset / LEAF * LEAF;
        let mut reader = Self { file: File::open(place)?, size, modified, position };
        reader.check()?;
        reader.file.seek(SeekFrom::Start(position))?;
        Ok(reader)
    }

    /// The next block and where it begins; `None` after the last.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        let count = (self.size - self.position).min(LEAF);
        if count == 0 {
            // What was read before and after a change is no file that there ever was.
            self.check()?;
            return Ok(None);
        }
        let mut block = vec![0; usize::try_from(count).unwrap_or_default()];
        self.file.read_exact(&mut block)?;
        let start = self.position;
        self.position += count;
        Ok(Some((start, block)))
    }

    /// Whether it is the file that was offered, as far as its size and time tell.
    fn check(&self) -> io::Result<()> {
        let metadata = self.file.metadata()?;
        let is_same = metadata.len() == self.size && modified(&metadata) == self.modified;
        if is_same { Ok(()) } else { Err(io::Error::other("it was changed meanwhile")) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a.txt");
        fs::write(&place, "as it was").unwrap();
        let time = modified(&fs::metadata(&place).unwrap());
        let read = || Reader::open(&place, 9, time, 0);
        let mut reader = read().unwrap();
        assert_eq!(reader.next().unwrap(), Some((0, b"as it was".to_vec())));
        assert_eq!(reader.next().unwrap(), None);

        let mut reader = read().unwrap();
        reader.next().unwrap();
        let later = UNIX_EPOCH + Duration::from_millis(time + 1_000);
        File::options().write(true).open(&place).unwrap().set_modified(later).unwrap();
        assert!(reader.next().is_err(), "written meanwhile");
        assert!(read().is_err(), "written before");
        assert!(Reader::open(&place, 8, time + 1_000, 0).is_err(), "of another size");
    }
}
