use std::collections::BTreeSet;

use tempfile::{TempDir, tempdir};

use super::*;

const ID: Id = Id([7; 16]);
const BIG: usize = (2 << 20) + 5;

fn store(folder: &TempDir) -> Store {
    Store::open(folder.path(), "0123456789abcdef").unwrap()
}

fn path(text: &str) -> SafePath {
    SafePath::parse(text).unwrap()
}

fn part(store: &Store, id: Id, name: &str, size: u64) -> Partial {
    match store.find(id, path(name), size, None).unwrap() {
        Found::Part(partial) => *partial,
        Found::Whole => panic!("{name} is whole"),
    }
}

fn write(partial: &mut Partial, bytes: &[u8]) {
    for block in bytes.chunks(1 << 20) {
        partial.write(block).unwrap();
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_an_earlier_run_left_is_gone_on_with() {
    let folder = tempdir().unwrap();
    let bytes: Vec<u8> = (0..BIG).map(|index| (index % 251) as u8).collect();
    let size = BIG as u64;
    let mut first = part(&store(&folder), ID, "a/film.bin", size);
    assert_eq!(first.stored(), 0);
    write(&mut first, &bytes[..2 << 20]);
    drop(first);
    // The power fails in the middle of a block: only whole ones count.
    let place = folder.path().join(format!("a/film.bin.{}.part", &ID.to_string()[..16]));
    OpenOptions::new().append(true).open(&place).unwrap().write_all(b"half").unwrap();

    let again = store(&folder);
    let mut second = part(&again, ID, "a/film.bin", size);
    assert_eq!(second.stored(), 2 << 20);
    write(&mut second, &bytes[2 << 20..]);
    let mut whole = TreeHash::default();
    bytes.chunks(1 << 20).for_each(|block| whole.add(block));
    assert_eq!(second.digest(), whole.finish());
    assert_eq!(again.keep(second).unwrap().to_string(), "a/film.bin");
    assert!(fs::read(folder.path().join("a/film.bin")).unwrap() == bytes);
    assert_eq!(names(&folder.path().join("a")), BTreeSet::from(["film.bin".to_owned()]));

    // A third run knows that it is whole; once it was changed, it does not.
    let third = store(&folder);
    assert!(matches!(third.find(ID, path("a/film.bin"), size, None).unwrap(), Found::Whole));
    fs::write(folder.path().join("a/film.bin"), "other").unwrap();
    assert_eq!(part(&third, ID, "a/film.bin", size).stored(), 0);
    third.finish();
    assert_eq!(names(folder.path()), BTreeSet::from(["a".to_owned()]));
}

#[test]
fn nothing_is_overwritten_without_being_asked_for() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "mine").unwrap();
    let careful = store(&folder);
    for (number, expected) in [(1, "a (2).txt"), (2, "a (3).txt")] {
        let mut partial = part(&careful, Id([number; 16]), "a.txt", 5);
        write(&mut partial, b"yours");
        assert_eq!(careful.keep(partial).unwrap().to_string(), expected);
    }
    assert_eq!(fs::read_to_string(folder.path().join("a.txt")).unwrap(), "mine");
    let bold = store(&folder);
    // Two of one name in one transfer: the second one is not to replace the first.
    let [mut first, mut second] = [3, 4].map(|number| part(&bold, Id([number; 16]), "a.txt", 5));
    assert_eq!(bold.existing(&first), Some(4));
    for partial in [&mut first, &mut second] {
        write(partial, b"yours");
        partial.replace();
    }
    assert_eq!(bold.keep(first).unwrap().to_string(), "a.txt");
    assert_eq!(bold.existing(&second), None, "ours");
    assert_eq!(bold.keep(second).unwrap().to_string(), "a (4).txt");
    assert_eq!(fs::read_to_string(folder.path().join("a.txt")).unwrap(), "yours");
    fs::create_dir(folder.path().join("b.txt")).unwrap();
    assert_eq!(bold.existing(&part(&bold, ID, "b.txt", 5)), None, "a folder cannot be replaced");
}

#[test]
fn empty_files_and_folders_and_times_are_kept() {
    let folder = tempdir().unwrap();
    let store = store(&folder);
    let Found::Part(partial) = store.find(ID, path("a/empty"), 0, Some(1_000_000)).unwrap() else { panic!() };
    assert_eq!(store.keep(*partial).unwrap().to_string(), "a/empty");
    let metadata = fs::metadata(folder.path().join("a/empty")).unwrap();
    assert_eq!(metadata.len(), 0);
    assert_eq!(metadata.modified().unwrap(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
    store.make_folder(&path("a/b/c")).unwrap();
    store.make_folder(&path("a/b/c")).unwrap();
    assert!(folder.path().join("a/b/c").is_dir());
    assert!(store.make_folder(&path("a/empty/x")).is_err());
}

#[cfg(unix)]
#[test]
fn links_inside_the_folder_lead_nowhere() {
    use std::os::unix::fs::symlink;

    let (folder, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    symlink(elsewhere.path(), folder.path().join("out")).unwrap();
    fs::write(elsewhere.path().join("secret"), "untouched").unwrap();
    let store = store(&folder);
    assert!(store.find(ID, path("out/a"), 1, None).is_err());
    assert!(store.make_folder(&path("out/a")).is_err());

    // In place of the file that is being received.
    let place = folder.path().join(format!("a.{}.part", &ID.to_string()[..16]));
    symlink(elsewhere.path().join("secret"), &place).unwrap();
    let mut partial = part(&store, ID, "a", 1);
    assert!(partial.write(b"x").is_err());

    // In place of its final name: the link is another file, or is replaced, but never followed.
    symlink(elsewhere.path().join("secret"), folder.path().join("b")).unwrap();
    let mut partial = part(&store, Id([8; 16]), "b", 1);
    write(&mut partial, b"x");
    assert_eq!(store.keep(partial).unwrap().to_string(), "b (2)");
    let bold = self::store(&folder);
    let mut partial = part(&bold, Id([9; 16]), "b", 1);
    write(&mut partial, b"x");
    partial.replace();
    assert_eq!(bold.keep(partial).unwrap().to_string(), "b");
    assert_eq!(fs::read_to_string(elsewhere.path().join("secret")).unwrap(), "untouched");
    assert_eq!(names(elsewhere.path()), BTreeSet::from(["secret".to_owned()]));
}
