use super::*;

const BUCKET: Bucket = Bucket("test");

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

struct Store {
    folder: tempfile::TempDir,
    store: ObjectStore,
}

fn opened() -> Store {
    let folder = tempfile::tempdir().unwrap();
    let store = ObjectStore::seed_fs(folder.path());
    Store { folder, store }
}

impl Store {
    async fn put(&self, of: &str, bytes: &[u8]) -> Result<Digest, ObjectError> {
        self.store.put(BUCKET, &tenant(of), bytes.to_vec()).await
    }

    async fn get(&self, of: &str, digest: &Digest) -> Result<Vec<u8>, ObjectError> {
        self.store.get(BUCKET, &tenant(of), digest).await
    }

    fn path(&self, of: &str, digest: &Digest) -> PathBuf {
        self.store.path(BUCKET, &tenant(of), digest)
    }

    /// Every file below the store's folder.
    fn files(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.folder.path().to_path_buf()];
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
}

#[tokio::test]
async fn the_same_bytes_twice_are_one_file_that_is_written_once() {
    let it = opened();
    let first = it.put("acme", b"x").await.unwrap();
    let path = it.path("acme", &first);
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    assert_eq!(it.put("acme", b"x").await.unwrap(), first);
    assert_eq!(it.files(), std::slice::from_ref(&path));
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
    let all = (0..8).map(|_| it.put("acme", b"y"));
    let all = futures_util::future::try_join_all(all).await.unwrap();
    assert!(all.iter().all(|digest| *digest == Digest::of(b"y")));
    assert_eq!(
        it.files().len(),
        2,
        "no temporary file is left: {:?}",
        it.files()
    );
}

#[tokio::test]
async fn bytes_come_back_to_their_tenant_only() {
    let it = opened();
    let digest = it.put("acme", b"x").await.unwrap();
    assert_eq!(it.get("acme", &digest).await.unwrap(), b"x");
    let other = it.get("globex", &digest).await;
    assert!(matches!(other, Err(ObjectError::Missing(told)) if told == digest));
    let bucket = Bucket("another");
    let other = it.store.get(bucket, &tenant("acme"), &digest).await;
    assert!(matches!(other, Err(ObjectError::Missing(told)) if told == digest));
    // What both have lies twice, so that neither's removal takes the other's.
    it.put("globex", b"x").await.unwrap();
    assert_eq!(it.files().len(), 2);
}

#[tokio::test]
async fn an_edited_or_cut_blob_is_never_given_out() {
    let it = opened();
    let digest = it.put("acme", b"before").await.unwrap();
    let path = it.path("acme", &digest);
    for wrong in [&b"after"[..], b"befor", b"before\n", b""] {
        fs::write(&path, wrong).unwrap();
        let told = [
            it.get("acme", &digest).await,
            it.store.get_blocking(BUCKET, &tenant("acme"), &digest),
        ];
        for told in told {
            let Err(ObjectError::Corrupt {
                expected,
                actual,
                path: at,
            }) = told
            else {
                panic!("{told:?}")
            };
            assert_eq!((expected, actual), (digest, Digest::of(wrong)));
            assert_eq!(at, path.display().to_string());
        }
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_with_its_path() {
    let it = opened();
    // A file where a folder should be: also root cannot write below it.
    fs::write(it.folder.path().join(BUCKET.0), b"").unwrap();
    let told = it.put("acme", b"x").await.unwrap_err();
    let ObjectError::Io { path, .. } = &told else {
        panic!("{told:?}")
    };
    assert!(
        path.starts_with(it.folder.path().to_str().unwrap()),
        "{told}"
    );
    it.store.ping().await.unwrap();
    let below = ObjectStore::seed_fs(&it.folder.path().join(BUCKET.0));
    assert!(matches!(below.ping().await, Err(ObjectError::Io { .. })));
}

#[tokio::test]
async fn a_failed_put_leaves_no_file_behind() {
    let it = opened();
    let digest = Digest::of(b"x");
    let path = it.path("acme", &digest);
    // A folder under the blob's own name: the last step, giving the name, fails.
    fs::create_dir_all(&path).unwrap();
    let told = it.put("acme", b"x").await;
    assert!(matches!(told, Err(ObjectError::Io { .. })), "{told:?}");
    assert_eq!(it.files(), [] as [PathBuf; 0]);
    // Once the cause is gone the same put succeeds.
    fs::remove_dir(&path).unwrap();
    assert_eq!(it.put("acme", b"x").await.unwrap(), digest);
    assert_eq!(it.get("acme", &digest).await.unwrap(), b"x");
}
