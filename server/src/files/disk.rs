//! The folder that received files go to. A file that is not whole yet is `NAME.ID.part` beside its place, so that a later
//! run finds it again by the id; which files are whole is noted in a journal until all of them are. Nothing is followed
//! out of the folder, and nothing is replaced without being asked for. All of it blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::digest::{Digest, LEAF, TreeHash};
use super::message::Id;
use super::path::{SafePath, numbered};

/// How many names are tried for a file whose own is taken.
const MOST_NAMES: u32 = 10_000;

/// Hexadecimal digits of an id in a name.
const DIGITS: usize = 16;

/// The folder.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
    journal: PathBuf,
    /// Files that earlier runs have finished, and where.
    whole: BTreeMap<Id, SafePath>,
    /// The names that this run has given.
    kept: Mutex<BTreeSet<String>>,
}

/// A file on its way in.
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) id: Id,
    path: SafePath,
    size: u64,
    modified: Option<u64>,
    place: PathBuf,
    /// Whether what has its name may go.
    replaces: bool,
    /// Open while bytes come.
    file: Option<File>,
    hash: TreeHash,
    stored: u64,
}

/// What there is of a file.
#[derive(Debug)]
pub(crate) enum Found {
    /// All of it, in its place.
    Whole,
    Part(Box<Partial>),
}

impl Store {
    /// Makes the folder if need be, and sees whether it can be written to; `name` tells this transfer's journal from others'.
    pub(crate) fn open(root: &Path, name: &str) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        // What the person names may be a link; what is below may not.
        let root = root.canonicalize()?;
        let journal = root.join(format!(".twocan-{}", name.get(..DIGITS).unwrap_or(name)));
        // Better told now than for each file. The name is nobody else's.
        let probe = journal.with_extension("probe");
        options_without_links().write(true).create(true).truncate(true).open(&probe)?;
        // If it stays, it is empty.
        let _ = fs::remove_file(&probe);
        let whole = read_journal(&journal);
        Ok(Self { root, journal, whole, kept: Mutex::default() })
    }

    /// What there is of a file.
    pub(crate) fn find(&self, id: Id, path: SafePath, size: u64, modified: Option<u64>) -> io::Result<Found> {
        if let Some(place) = self.whole.get(&id)
            && is_file(&self.root.join(place.to_path())).is_some_and(|length| length == size)
        {
            return Ok(Found::Whole);
        }
        let folder = self.make_parents(&path)?;
        let digits = id.to_string();
        let place = folder.join(format!("{}.{}.part", path.name(), &digits[..DIGITS]));
        let mut partial = Partial {
            id,
            path,
            size,
            modified,
            place,
            replaces: false,
            file: None,
            hash: TreeHash::default(),
            stored: 0,
        };
        partial.look()?;
        Ok(Found::Part(Box::new(partial)))
    }

    /// How long the file is, in bytes, that had this one's name before the transfer. A folder cannot be replaced by a
    /// file, and what came in this run is not to be.
    pub(crate) fn existing(&self, partial: &Partial) -> Option<u64> {
        let metadata = fs::symlink_metadata(partial.place.with_file_name(partial.path.name())).ok()?;
        let is_ours = lock(&self.kept).contains(&key(&partial.path));
        (!metadata.is_dir() && !is_ours).then_some(metadata.len())
    }

    /// Gives a whole file its name; says which.
    pub(crate) fn keep(&self, partial: Partial) -> io::Result<SafePath> {
        let Partial { id, path, modified, place, replaces, file, .. } = partial;
        let file = match file {
            Some(file) => file,
            None => open_partial(&place)?,
        };
        if let Some(time) =
            modified.and_then(|ms| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms)))
        {
            // Not every file system keeps it.
            let _ = file.set_modified(time);
        }
        drop(file);
        let folder = place.parent().unwrap_or(&self.root);
        // Two files of a transfer may have one name, since names are cleaned; then both are kept.
        let kept = if lock(&self.kept).insert(key(&path)) && replaces {
            fs::rename(&place, folder.join(path.name()))?;
            path
        } else {
            let name = free_name(folder, path.name())?;
            fs::rename(&place, folder.join(&name))?;
            let path = path.with_name(name);
            lock(&self.kept).insert(key(&path));
            path
        };
        self.note(id, &kept);
        Ok(kept)
    }

    /// Makes a folder, if it is not there.
    pub(crate) fn make_folder(&self, path: &SafePath) -> io::Result<()> {
        let mut folder = self.root.clone();
        for part in path.parts() {
            folder.push(part);
            make_real_folder(&folder)?;
        }
        Ok(())
    }

    /// All has arrived: what was noted is of no more use.
    pub(crate) fn finish(&self) {
        // If it stays, a later run looks at it once more.
        let _ = fs::remove_file(&self.journal);
    }

    fn make_parents(&self, path: &SafePath) -> io::Result<PathBuf> {
        let mut folder = self.root.clone();
        for part in path.parts().iter().take(path.parts().len() - 1) {
            folder.push(part);
            make_real_folder(&folder)?;
        }
        Ok(folder)
    }

    /// Without the note a later run would receive the file again, and that is all.
    fn note(&self, id: Id, path: &SafePath) {
        let journal = options_without_links().append(true).create(true).open(&self.journal);
        let _ = journal.and_then(|mut journal| writeln!(journal, "{id} {path}"));
    }
}

impl Partial {
    /// Bytes on the disk.
    pub(crate) fn stored(&self) -> u64 {
        self.stored
    }

    /// What has its name is to be replaced, once this is whole.
    pub(crate) fn replace(&mut self) {
        self.replaces = true;
    }

    /// Appends the next block: 1 MiB, or the file's last.
    pub(crate) fn write(&mut self, block: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            empty => {
                let mut file = open_partial(&self.place)?;
                file.set_len(self.stored)?;
                file.seek(SeekFrom::End(0))?;
                empty.insert(file)
            }
        };
        file.write_all(block)?;
        self.hash.add(block);
        self.stored += block.len() as u64;
        Ok(())
    }

    /// Closes the file for now.
    pub(crate) fn rest(&mut self) {
        self.file = None;
    }

    /// The digest of what is stored.
    pub(crate) fn digest(&self) -> Digest {
        self.hash.finish()
    }

    /// Throws away what is stored.
    pub(crate) fn discard(self) {
        let _ = fs::remove_file(&self.place);
    }

    /// Reads what an earlier run left: whole blocks only, since that is what the digest is made of.
    fn look(&mut self) -> io::Result<()> {
        let Some(length) = is_file(&self.place) else { return Ok(()) };
        let usable = if length == self.size { length } else { length.min(self.size) / LEAF * LEAF };
        let mut file = open_partial(&self.place)?;
        let mut block = vec![0; usize::try_from(LEAF).unwrap_or(usize::MAX)];
        while self.stored < usable {
            let count = usize::try_from((usable - self.stored).min(LEAF)).unwrap_or(usize::MAX);
            file.read_exact(&mut block[..count])?;
            self.hash.add(&block[..count]);
            self.stored += count as u64;
        }
        Ok(())
    }
}

/// Some file systems tell names apart by more than their case, and some do not.
fn key(path: &SafePath) -> String {
    path.to_string().to_lowercase()
}

fn lock(kept: &Mutex<BTreeSet<String>>) -> MutexGuard<'_, BTreeSet<String>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The length of what is there, if it is a plain file and no link to one.
fn is_file(path: &Path) -> Option<u64> {
    let metadata = fs::symlink_metadata(path).ok()?;
    metadata.is_file().then_some(metadata.len())
}

/// A folder of ours: an existing one must be real, since a link may lead anywhere.
fn make_real_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::symlink_metadata(path)?.is_dir() {
                return Ok(());
            }
            let what = format!("{} is in the way: it is no folder, or a link to one", path.display());
            Err(io::Error::new(io::ErrorKind::AlreadyExists, what))
        }
        made => made,
    }
}

fn open_partial(place: &Path) -> io::Result<File> {
    options_without_links().read(true).write(true).create(true).truncate(false).open(place)
}

/// Opens what is there, not what it links to.
fn options_without_links() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default());
    }
    options
}

/// A name that nobody has, taken by an empty file.
fn free_name(folder: &Path, name: &str) -> io::Result<String> {
    for number in 1..=MOST_NAMES {
        let candidate = numbered(name, number);
        match OpenOptions::new().write(true).create_new(true).open(folder.join(&candidate)) {
            Ok(_) => return Ok(candidate),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "10,000 files of this name are there: move some away"))
}

/// Lines of an id and a path. Whatever else stands there was not written by us.
fn read_journal(journal: &Path) -> BTreeMap<Id, SafePath> {
    let mut text = String::new();
    let file = options_without_links().read(true).open(journal);
    if file.and_then(|mut file| file.read_to_string(&mut text)).is_err() {
        return BTreeMap::new();
    }
    let entry = |line: &str| {
        let (id, path) = line.split_once(' ')?;
        Some((Id::parse(id)?, SafePath::parse(path).ok()?))
    };
    text.lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests;
