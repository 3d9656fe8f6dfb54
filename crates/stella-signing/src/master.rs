//! The key that encrypts other keys at rest.

use std::io::Write as _;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

use crate::key::{KeyError, file_error};

/// The installation's AES-256-GCM key, from `Security:MasterKeyFile` (32 raw bytes), and while it
/// is being replaced the one before it, which opens what was not sealed anew yet.
pub struct MasterKey {
    key: RandomizedNonceKey,
    previous: Option<RandomizedNonceKey>,
}

impl MasterKey {
    /// Reads the file.
    ///
    /// # Errors
    /// It is not there or does not hold 32 bytes.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let bytes = std::fs::read(path).map_err(|source| file_error(path, source))?;
        Self::new(&bytes, &path.display().to_string())
    }

    /// Reads the file, or makes it (mode 0600) where it is not there.
    ///
    /// # Errors
    /// It cannot be read or made.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        if !path.exists() {
            let mut bytes = [0_u8; 32];
            aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeyError::Generate)?;
            let failed = |source| file_error(path, source);
            let folder = path.parent().unwrap_or(Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
            file.write_all(&bytes)
                .and_then(|()| file.as_file().sync_all())
                .map_err(failed)?;
            file.persist_noclobber(path)
                .map_err(|lost| failed(lost.error))?;
        }
        Self::load(path)
    }

    /// A key of 32 bytes; `place` names its origin in the error.
    ///
    /// # Errors
    /// Another length.
    pub fn new(bytes: &[u8], place: &str) -> Result<Self, KeyError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).map_err(|_| KeyError::NoMaster {
            place: place.to_owned(),
        })?;
        Ok(Self {
            key,
            previous: None,
        })
    }

    /// The same, which opens also what another key sealed.
    #[must_use]
    pub fn after(self, previous: Self) -> Self {
        Self {
            previous: Some(previous.key),
            ..self
        }
    }

    /// Encrypts; `label` is bound to the result and must be given again to open it.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn seal(&self, label: &str, secret: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut sealed = secret.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(label.as_bytes()), &mut sealed)
            .map_err(|_| KeyError::Generate)?;
        let mut out = nonce.as_ref().to_vec();
        out.append(&mut sealed);
        Ok(out)
    }

    /// Decrypts what [`MasterKey::seal`] made under the same label.
    ///
    /// # Errors
    /// Another key, another label, or changed bytes.
    pub fn open(&self, label: &str, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut keys = std::iter::once(&self.key).chain(&self.previous);
        keys.find_map(|key| open(key, label, sealed))
            .ok_or_else(|| KeyError::Sealed {
                place: label.to_owned(),
            })
    }

    /// Seals anew what only the key before opens; none where there is nothing to do.
    ///
    /// # Errors
    /// As [`MasterKey::open`], and the system gave no randomness.
    pub fn reseal(&self, label: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, KeyError> {
        if open(&self.key, label, sealed).is_some() {
            return Ok(None);
        }
        let secret = self.open(label, sealed)?;
        self.seal(label, &secret).map(Some)
    }
}

fn open(key: &RandomizedNonceKey, label: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut body = body.to_vec();
    let secret = key.open_in_place(nonce, Aad::from(label.as_bytes()), &mut body);
    Some(secret.ok()?.to_vec())
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::MasterKey;

    #[test]
    fn only_the_same_key_label_and_bytes_open() {
        let key = MasterKey::new(&[1; 32], "test").unwrap();
        let sealed = key.seal("a", b"secret").unwrap();
        assert_eq!(key.open("a", &sealed).unwrap(), b"secret");
        assert!(key.open("b", &sealed).is_err());
        assert!(
            MasterKey::new(&[2; 32], "test")
                .unwrap()
                .open("a", &sealed)
                .is_err()
        );
        let mut edited = sealed;
        *edited.last_mut().unwrap() ^= 1;
        assert!(key.open("a", &edited).is_err());
        assert!(key.open("a", &edited[..5]).is_err());
        assert!(MasterKey::new(&[1; 31], "test").is_err());
    }

    #[test]
    fn what_the_key_before_sealed_is_opened_and_sealed_anew_once() {
        let key = |byte| MasterKey::new(&[byte; 32], "test").unwrap();
        let old = key(1).seal("a", b"secret").unwrap();
        let both = key(2).after(key(1));
        assert_eq!(both.open("a", &old).unwrap(), b"secret");
        let new = both.reseal("a", &old).unwrap().unwrap();
        assert_eq!(key(2).open("a", &new).unwrap(), b"secret");
        assert!(key(1).open("a", &new).is_err());
        assert_eq!(both.reseal("a", &new).unwrap(), None);
        assert!(both.reseal("b", &old).is_err());
        assert!(key(3).after(key(2)).reseal("a", &old).is_err());
    }
}
