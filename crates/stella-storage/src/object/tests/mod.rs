//! What a service may rely on, on every object store.

mod faults;
mod memory;
mod streams;

use std::fs;
use std::path::{Path, PathBuf};

use stella_testkit::{S3Server, s3 as testkit};

use super::*;

const BUCKET: Bucket = Bucket("test");

/// Runs a test once on each object store, each time on one of its own.
macro_rules! on_every_store {
    ($($(#[$doc:meta])* async fn $name:ident($it:ident) $body:block)*) => {
        $($(#[$doc])* mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn case($it: $crate::object::tests::Store) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn seed_fs() {
                case($crate::object::tests::Store::seed_fs()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn rustfs() {
                case($crate::object::tests::Store::rustfs()).await;
            }
        })*
    };
}
use on_every_store;

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

/// A store, and the folder in which its blobs end up.
struct Store {
    store: ObjectStore,
    blobs: PathBuf,
    /// The folder of `seed-fs`; of `rustfs`, that of the spools.
    _folder: tempfile::TempDir,
    server: Option<S3Server>,
}

/// A bucket of a test server, reached at an endpoint.
fn s3(endpoint: String) -> S3 {
    S3 {
        endpoint,
        bucket: testkit::BUCKET.to_owned(),
        region: "eu-central-1".to_owned(),
        access_key_id: testkit::ACCESS_KEY_ID.to_owned(),
        secret_access_key: testkit::SECRET_ACCESS_KEY.to_owned(),
    }
}

impl Store {
    fn seed_fs() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: ObjectStore::seed_fs(folder.path()),
            blobs: folder.path().to_path_buf(),
            _folder: folder,
            server: None,
        }
    }

    fn rustfs() -> Self {
        let (folder, server) = (tempfile::tempdir().unwrap(), S3Server::start());
        Self {
            store: ObjectStore::rustfs(&s3(server.endpoint()), folder.path()).unwrap(),
            blobs: server.objects(),
            _folder: folder,
            server: Some(server),
        }
    }

    async fn put(&self, of: &str, bytes: &[u8]) -> Result<Digest, ObjectError> {
        self.store.put(BUCKET, &tenant(of), bytes.to_vec()).await
    }

    async fn put_from(&self, of: &str, bytes: &[u8], limit: u64) -> Result<Stored, ObjectError> {
        self.store.put_from(BUCKET, &tenant(of), bytes, limit).await
    }

    async fn get(&self, of: &str, digest: &Digest) -> Result<Vec<u8>, ObjectError> {
        self.store.get(BUCKET, &tenant(of), digest).await
    }

    async fn list(&self) -> Vec<Listed> {
        self.store.list(BUCKET).try_collect().await.unwrap()
    }

    fn path(&self, of: &str, digest: &Digest) -> PathBuf {
        self.blobs.join(key(BUCKET, &tenant(of), digest))
    }

    /// Every file of the store.
    fn files(&self) -> Vec<PathBuf> {
        files(&self.blobs)
    }

    fn written(&self, of: &str, digest: &Digest) -> std::time::SystemTime {
        let metadata = fs::metadata(self.path(of, digest)).unwrap();
        metadata.modified().unwrap()
    }

    /// Makes a blob as old as if it had been written so long ago.
    fn age(&self, of: &str, digest: &Digest, by: Duration) {
        let before = self.written(of, digest) - by;
        let file = fs::File::options().append(true).open(self.path(of, digest));
        file.unwrap().set_modified(before).unwrap();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}

on_every_store! {
    async fn the_same_bytes_twice_are_one_file_that_is_written_once(it) {
        let first = it.put("acme", b"x").await.unwrap();
        let written = it.written("acme", &first);
        assert_eq!(it.put("acme", b"x").await.unwrap(), first);
        let streamed = it.put_from("acme", b"x", 1).await.unwrap();
        assert_eq!((streamed.digest, streamed.size), (first, 1));
        assert_eq!(it.files(), [it.path("acme", &first)]);
        assert_eq!(it.written("acme", &first), written);
        let all = (0..8).map(|_| it.put("acme", b"y"));
        let all = futures_util::future::try_join_all(all).await.unwrap();
        assert!(all.iter().all(|digest| *digest == Digest::of(b"y")));
        let left = it.files();
        assert_eq!(left.len(), 2, "no temporary file is left: {left:?}");
    }

    async fn bytes_come_back_to_their_tenant_only(it) {
        let digest = it.put("acme", b"x").await.unwrap();
        assert_eq!(it.get("acme", &digest).await.unwrap(), b"x");
        let other = it.get("globex", &digest).await;
        assert!(matches!(other, Err(ObjectError::Missing(told)) if told == digest), "{other:?}");
        let bucket = Bucket("another");
        let other = it.store.get(bucket, &tenant("acme"), &digest).await;
        assert!(matches!(other, Err(ObjectError::Missing(told)) if told == digest), "{other:?}");
        // What both have lies twice, so that neither's removal takes the other's.
        it.put("globex", b"x").await.unwrap();
        assert_eq!(it.files().len(), 2);
    }

    async fn an_edited_or_cut_blob_is_never_given_out(it) {
        let digest = it.put("acme", b"before").await.unwrap();
        let path = it.path("acme", &digest);
        for wrong in [&b"after"[..], b"befor", b"before\n", b""] {
            fs::write(&path, wrong).unwrap();
            let store = it.store.clone();
            let blocking = move || store.get_blocking(BUCKET, &tenant("acme"), &digest);
            let told = [
                it.get("acme", &digest).await,
                tokio::task::spawn_blocking(blocking).await.unwrap(),
            ];
            for told in told {
                let Err(ObjectError::Corrupt { expected, actual, path }) = told else {
                    panic!("{told:?}")
                };
                assert_eq!((expected, actual), (digest, Digest::of(wrong)));
                assert!(path.ends_with(&key(BUCKET, &tenant("acme"), &digest)), "{path}");
            }
        }
    }

    async fn a_store_is_listed_by_bucket_tenant_and_digest(it) {
        let mut put = Vec::new();
        for (of, bytes) in [("globex", &b"xy"[..]), ("acme", b"x"), ("acme", b"y"), ("acme", b"")] {
            let digest = it.put(of, bytes).await.unwrap();
            let (tenant, size) = (tenant(of), bytes.len() as u64);
            put.push((key(BUCKET, &tenant, &digest), Some((tenant, digest)), size));
        }
        it.store.put(Bucket("testing"), &tenant("acme"), b"z".to_vec()).await.unwrap();
        put.sort();
        let listed: Vec<_> = it.list().await.into_iter().map(|one| (one.key, one.blob, one.size)).collect();
        assert_eq!(listed, put);
        let none: Vec<Listed> = it.store.list(Bucket("none")).try_collect().await.unwrap();
        assert_eq!(none, []);
    }

    async fn what_is_listed_is_removed_unless_it_was_put_again(it) {
        let digest = it.put("acme", b"x").await.unwrap();
        it.age("acme", &digest, ObjectStore::GRACE);
        let [old] = it.list().await.try_into().unwrap();
        it.put("acme", b"x").await.unwrap();
        assert!(!it.store.remove(&old).await.unwrap());
        let [young] = it.list().await.try_into().unwrap();
        assert!(young.modified > old.modified);
        assert!(it.store.remove(&young).await.unwrap());
        assert!(it.store.remove(&young).await.unwrap(), "what is gone stays gone");
        assert!(matches!(it.get("acme", &digest).await, Err(ObjectError::Missing(_))));
        // A stream of the same bytes makes it young too.
        it.put("acme", b"x").await.unwrap();
        it.age("acme", &digest, ObjectStore::RENEWED * 2);
        let before = it.written("acme", &digest);
        it.put_from("acme", b"x", 1).await.unwrap();
        assert!(it.written("acme", &digest) > before);
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_with_its_path() {
    let it = Store::seed_fs();
    // A file where a folder should be: also root cannot write below it.
    fs::write(it.blobs.join(BUCKET.0), b"").unwrap();
    let root = it.blobs.to_str().unwrap();
    for told in [
        it.put("acme", b"x").await.map(drop),
        it.put_from("acme", b"x", 1).await.map(drop),
    ] {
        let Err(ObjectError::Io { path, .. }) = &told else {
            panic!("{told:?}")
        };
        assert!(path.starts_with(root), "{told:?}");
    }
    it.store.ping().await.unwrap();
    let below = ObjectStore::seed_fs(&it.blobs.join(BUCKET.0));
    assert!(matches!(below.ping().await, Err(ObjectError::Io { .. })));
}

#[tokio::test]
async fn a_failed_put_leaves_no_file_behind() {
    let it = Store::seed_fs();
    let digest = Digest::of(b"x");
    let path = it.path("acme", &digest);
    // A folder under the blob's own name: the last step, giving the name, fails.
    fs::create_dir_all(&path).unwrap();
    let told = it.put("acme", b"x").await;
    assert!(matches!(told, Err(ObjectError::Io { .. })), "{told:?}");
    let told = it.put_from("acme", b"x", 1).await;
    assert!(matches!(told, Err(ObjectError::Io { .. })), "{told:?}");
    assert_eq!(it.files(), [] as [PathBuf; 0]);
    // Once the cause is gone the same put succeeds.
    fs::remove_dir(&path).unwrap();
    assert_eq!(it.put("acme", b"x").await.unwrap(), digest);
    assert_eq!(it.get("acme", &digest).await.unwrap(), b"x");
}

#[tokio::test]
async fn what_an_interrupted_put_left_is_listed_and_what_is_not_ours_is_not() {
    let it = Store::seed_fs();
    let digest = it.put("acme", b"x").await.unwrap();
    let folder = it.blobs.join("test/acme");
    for name in [".part-abc", "notes.txt", &digest.hex()] {
        fs::write(folder.join(name), b"half").unwrap();
    }
    let listed = it.list().await;
    let [part, blob] = &listed[..] else {
        panic!("{listed:?}")
    };
    assert_eq!(
        (part.key.as_str(), &part.blob),
        ("test/acme/.part-abc", &None)
    );
    assert_eq!(blob.blob, Some((tenant("acme"), digest)));
}
